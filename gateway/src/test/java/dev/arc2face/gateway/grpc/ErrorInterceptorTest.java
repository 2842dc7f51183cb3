package dev.arc2face.gateway.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.util.Durations;
import com.google.rpc.RetryInfo;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.v1.DetectFacesRequest;
import dev.arc2face.v1.DetectFacesResponse;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.GetModelInfoRequest;
import dev.arc2face.v1.GetModelInfoResponse;
import dev.arc2face.v1.IdentitySource;
import dev.arc2face.v1.PortraitServiceGrpc;
import io.grpc.CallOptions;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Iterator;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a caller sees of every way in which a call can fail, on a real server that serves a service made to fail. */
class ErrorInterceptorTest {
    private static final int MAX_REQUEST_BYTES = 1 << 20;

    private static volatile Consumer<StreamObserver<?>> behaviour = response -> {};
    private static Server server;
    private static Gateway gateway;

    @BeforeAll
    static void start() throws IOException {
        ErrorStatus errors = new ErrorStatus(Duration.ofMillis(1500));
        server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .maxInboundMessageSize(4 * MAX_REQUEST_BYTES)
                .addService(GuardedService.of(
                        new Failing().bindService(),
                        GuardedService.constraints(),
                        MAX_REQUEST_BYTES,
                        errors,
                        new ServerInterceptor() {
                            @Override
                            public <Q, R> ServerCall.Listener<Q> interceptCall(
                                    ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
                                return next.startCall(call, headers);
                            }
                        }))
                .fallbackHandlerRegistry(new UnknownMethods())
                .intercept(new ErrorInterceptor(errors))
                .build()
                .start();
        gateway = new Gateway(server.getPort());
    }

    @AfterAll
    static void stop() {
        gateway.close();
        server.shutdownNow();
    }

    @ParameterizedTest
    @EnumSource(ErrorReason.class)
    void everyReasonArrivesWithItsCodeAndDetails(ErrorReason reason) {
        Failure failure = failing(response -> {
            throw FailureException.of(reason, "a sentence", Map.of("key", "value"));
        });
        failure.isFor(reason);
        if (reason != ErrorReason.INTERNAL) {
            assertThat(failure.message()).isEqualTo("a sentence");
            assertThat(failure.metadata()).containsExactly(Map.entry("key", "value"));
        }
    }

    @Test
    void retryInfoTellsTheConfiguredDelay() {
        Failure failure = failing(response -> {
            throw FailureException.of(ErrorReason.QUEUE_FULL, "full");
        });
        assertThat(failure.detail(RetryInfo.class).orElseThrow().getRetryDelay())
                .isEqualTo(Durations.fromMillis(1500));
    }

    @Test
    void retryInfoTellsTheDelayOfWhoeverKnows() {
        Failure failure = failing(response -> {
            throw FailureException.of(ErrorReason.QUEUE_FULL, "full").retryAfter(Duration.ofMillis(2500));
        });
        assertThat(failure.detail(RetryInfo.class).orElseThrow().getRetryDelay())
                .isEqualTo(Durations.fromMillis(2500));
    }

    @Test
    void unknownThrowableTellsNothingButAnId() {
        Failure failure = failing(response -> {
            throw new IllegalArgumentException("secret");
        });
        failure.isFor(ErrorReason.INTERNAL);
        assertThat(failure.metadata()).containsOnlyKeys("id");
        assertThat(failure.message()).contains(failure.metadata().get("id"));
        assertThat(failure.status().toString()).doesNotContain("secret").doesNotContain("IllegalArgument");
    }

    @Test
    void errorFromAnotherThreadIsTranslatedToo() {
        failing(response -> new Thread(() -> response.onError(new StackOverflowError("secret"))).start())
                .isFor(ErrorReason.INTERNAL);
        failing(response -> new Thread(
                                () -> response.onError(FailureException.of(ErrorReason.NO_FACE_DETECTED, "nobody")
                                        .at("identity.photo")))
                        .start())
                .isFor(ErrorReason.NO_FACE_DETECTED);
    }

    @Test
    void statusOfACauseIsNotTakenForTheCallersOwn() {
        FailureException failure = FailureException.causedBy(
                Status.UNAVAILABLE.withDescription("secret").asRuntimeException(),
                ErrorReason.MODEL_SERVER_UNAVAILABLE,
                "the model server is away");
        failing(response -> {
                    throw failure;
                })
                .isFor(ErrorReason.MODEL_SERVER_UNAVAILABLE);
        failing(response -> new Thread(() -> response.onError(ErrorStatus.carrying(failure))).start())
                .isFor(ErrorReason.MODEL_SERVER_UNAVAILABLE);
    }

    @Test
    void statusOfTheFrameworkLeaksNothing() {
        Failure failure = failing(response -> {
            throw Status.UNKNOWN.withDescription("secret").asRuntimeException();
        });
        failure.isFor(ErrorReason.INTERNAL);
        assertThat(failure.message()).doesNotContain("secret");
    }

    @Test
    void failureAfterTheStreamBeganHasDetailsToo() {
        behaviour = response -> {
            send(response, GenerateResponse.newBuilder().setSequence(1).build());
            throw FailureException.of(ErrorReason.FACE_TOO_SMALL, "small").at("identity.photo");
        };
        Iterator<GenerateResponse> responses = gateway.service()
                .generate(GenerateRequest.newBuilder()
                        .setIdentity(IdentitySource.newBuilder().setPhoto(ByteString.copyFromUtf8("x")))
                        .build());
        assertThat(responses.next().getSequence()).isEqualTo(1);
        assertThat(Failure.of(responses::hasNext)
                        .isFor(ErrorReason.FACE_TOO_SMALL)
                        .fields())
                .containsExactly("identity.photo");
    }

    @Test
    void brokenConstraintsAreNamedByField() {
        GenerateRequest request = GenerateRequest.newBuilder()
                .setIdentity(IdentitySource.newBuilder().setFaceIndex(4096))
                .setNumImages(17)
                .setGuidanceScale(Float.NaN)
                .setRequestId("no spaces")
                .build();
        Failure failure = Failure.of(() -> gateway.service().generate(request).hasNext());
        assertThat(failure.isFor(ErrorReason.INVALID_REQUEST).fields())
                .contains("identity.source", "identity.face_index", "num_images", "guidance_scale", "request_id")
                .contains("identity");
    }

    @Test
    void messageThatIsNoneOfItsMethodIsInvalid() {
        Failure.of(() -> call(PortraitServiceGrpc.getGetModelInfoMethod(), new byte[] {(byte) 0xff, 1, 2}))
                .isFor(ErrorReason.INVALID_REQUEST);
    }

    @Test
    void messageLargerThanTheLimitIsRefusedWithTheLimit() {
        DetectFacesRequest request = DetectFacesRequest.newBuilder()
                .setPhoto(ByteString.copyFrom(new byte[MAX_REQUEST_BYTES]))
                .build();
        Failure failure =
                Failure.of(() -> gateway.service().detectFaces(request)).isFor(ErrorReason.MESSAGE_TOO_LARGE);
        assertThat(failure.metadata()).containsEntry("limit", Integer.toString(MAX_REQUEST_BYTES));
    }

    @Test
    void compressedMessageCountsAsWhatItBecomes() {
        DetectFacesRequest request = DetectFacesRequest.newBuilder()
                .setPhoto(ByteString.copyFrom(new byte[16 * MAX_REQUEST_BYTES]))
                .build();
        Failure.of(() -> gateway.service().withCompression("gzip").detectFaces(request))
                .isFor(ErrorReason.MESSAGE_TOO_LARGE);
    }

    @Test
    void messageBeyondTheTransportsLimitIsExhaustionToo() {
        DetectFacesRequest request = DetectFacesRequest.newBuilder()
                .setPhoto(ByteString.copyFrom(new byte[5 * MAX_REQUEST_BYTES]))
                .build();
        assertThatThrownBy(() -> gateway.service().detectFaces(request))
                .extracting(thrown -> Status.fromThrowable(thrown).getCode())
                .isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    }

    @Test
    void unknownMethodsAndServicesAreUnimplemented() {
        for (String method : new String[] {"arc2face.v1.PortraitService/Paint", "nobody.Knows/This"}) {
            MethodDescriptor<GetModelInfoRequest, GetModelInfoResponse> unknown =
                    PortraitServiceGrpc.getGetModelInfoMethod().toBuilder()
                            .setFullMethodName(method)
                            .build();
            Failure.of(() -> ClientCalls.blockingUnaryCall(
                            gateway.channel, unknown, CallOptions.DEFAULT, GetModelInfoRequest.getDefaultInstance()))
                    .isFor(ErrorReason.UNIMPLEMENTED);
        }
    }

    private static Failure failing(Consumer<StreamObserver<?>> how) {
        behaviour = how;
        return Failure.of(() -> gateway.service().getModelInfo(GetModelInfoRequest.getDefaultInstance()));
    }

    /** Calls a method with bytes that need not be a message. */
    private static <Q, R> void call(MethodDescriptor<Q, R> method, byte[] request) {
        Marshaller<byte[]> bytes = new Marshaller<>() {
            @Override
            public InputStream stream(byte[] value) {
                return new ByteArrayInputStream(value);
            }

            @Override
            public byte[] parse(InputStream stream) {
                throw new AssertionError("never parsed");
            }
        };
        ClientCalls.blockingUnaryCall(
                gateway.channel,
                method.toBuilder(bytes, method.getResponseMarshaller()).build(),
                CallOptions.DEFAULT,
                request);
    }

    @SuppressWarnings("unchecked") // the one method that sends before it fails sends its own type
    private static void send(StreamObserver<?> response, GenerateResponse message) {
        ((StreamObserver<GenerateResponse>) response).onNext(message);
    }

    private static final class Failing extends PortraitServiceGrpc.PortraitServiceImplBase {
        @Override
        public void getModelInfo(GetModelInfoRequest request, StreamObserver<GetModelInfoResponse> response) {
            behaviour.accept(response);
        }

        @Override
        public void generate(GenerateRequest request, StreamObserver<GenerateResponse> responses) {
            behaviour.accept(responses);
        }

        @Override
        public void detectFaces(DetectFacesRequest request, StreamObserver<DetectFacesResponse> response) {
            throw new AssertionError("a refused message got through");
        }
    }
}
