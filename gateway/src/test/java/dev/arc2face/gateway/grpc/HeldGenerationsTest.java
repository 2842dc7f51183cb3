package dev.arc2face.gateway.grpc;

import static dev.arc2face.gateway.Waiting.await;
import static io.grpc.stub.ServerCalls.asyncServerStreamingCall;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.arc2face.gateway.admission.Admission;
import dev.arc2face.gateway.admission.StepQuota;
import dev.arc2face.gateway.config.Configs;
import dev.arc2face.gateway.config.GenerationConfig;
import dev.arc2face.gateway.config.LimitsConfig;
import dev.arc2face.gateway.config.PolicyConfig;
import dev.arc2face.gateway.config.QuotasConfig;
import dev.arc2face.gateway.config.ReceiptsConfig;
import dev.arc2face.gateway.config.ResumeConfig;
import dev.arc2face.gateway.security.Policy;
import dev.arc2face.gateway.triton.TritonResource;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.ImageFormat;
import dev.arc2face.v1.OnDisconnect;
import dev.arc2face.v1.PortraitServiceGrpc;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.stub.ServerCalls.ServerStreamingMethod;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a service keeps of generations that have ended, called without a transport: its requests are the test's own. */
@QuarkusTest
@WithTestResource(TritonResource.class)
class HeldGenerationsTest extends ConnectedTest {
    @Inject
    Readiness readiness;

    @Inject
    Meters meters;

    @Inject
    LimitsConfig limits;

    @Inject
    GenerationConfig defaults;

    @Inject
    QuotasConfig quotas;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final ScheduledThreadPoolExecutor expiries = new ScheduledThreadPoolExecutor(1);
    private final ScheduledThreadPoolExecutor patience = new ScheduledThreadPoolExecutor(1);

    @BeforeEach
    void asTheEndpointHasIt() {
        expiries.setRemoveOnCancelPolicy(true);
        patience.setRemoveOnCancelPolicy(true);
    }

    @AfterEach
    void stop() {
        threads.shutdownNow();
        expiries.shutdownNow();
        patience.shutdownNow();
    }

    @Test
    void photoIsLetGoOfAlthoughItsResultIsHeld() {
        Generations generations = generations("64M");
        WeakReference<ByteString> photo = photoOfFinished("photo", service(generations));
        await().until(() -> {
            System.gc();
            return photo.get() == null;
        });
        assertThat(generations.find(name("photo"))).isPresent();
    }

    /** In a frame of its own: the photo must not be on the stack of whoever waits for its end. */
    private WeakReference<ByteString> photoOfFinished(String id, PortraitServiceImpl service) {
        ByteString photo = Gateway.sample();
        generate(
                service::generate, request(id).setIdentity(Gateway.photo(photo)).build());
        return new WeakReference<>(photo);
    }

    @Test
    void cancelledResultIsHeldByNoTimer() {
        Generations generations = generations("64M");
        generate(service(generations)::generate, request("gone").build());
        await().until(() -> expiries.getQueue().size() == 1);
        assertThat(generations.cancel(name("gone"))).isTrue();
        assertThat(expiries.getQueue()).isEmpty();
    }

    /** The events of eight are smaller than that together; what eight take beside their events is not. */
    @Test
    void smallResultsAreCountedWithWhatTheyTakeBesideTheirEvents() {
        Generations generations = generations("64K");
        PortraitServiceImpl service = service(generations);
        for (int i = 0; i < 8; i++) {
            generate(service::generate, request("small-" + i).build());
        }
        await().until(() -> generations.find(name("small-0")).isEmpty());
        assertThat(expiries.getQueue()).hasSizeLessThan(8);
    }

    @Test
    void nobodyIsWaitedForOnceAGenerationHasEnded() {
        generate(service(generations("64M"))::beginAlone, request("alone").build());
        await().until(() -> expiries.getQueue().size() == 1);
        assertThat(patience.getQueue()).isEmpty();
    }

    private Generations generations(String mostOfCaller) {
        ResumeConfig config =
                Configs.of(ResumeConfig.class, Map.of("arc2face.resume.max-bytes-per-caller", mostOfCaller));
        return new Generations(config, expiries);
    }

    private PortraitServiceImpl service(Generations generations) {
        Requests requests = new Requests(defaults, limits);
        Receipts receipts = new Receipts(Configs.of(ReceiptsConfig.class, Map.of()), "test");
        return new PortraitServiceImpl(
                readiness,
                requests,
                new ModelInfo(limits, defaults, requests, receipts, "test"),
                receipts,
                generations,
                new StepQuota(0, System::nanoTime),
                new Policy(Configs.of(PolicyConfig.class, Map.of())),
                meters,
                limits,
                new BoundedExecutor("unary", 1, 1, 0),
                patience,
                Duration.ofMinutes(5));
    }

    private static GenerateRequest.Builder request(String id) {
        return Gateway.request(Gateway.somebody(1))
                .setSteps(1)
                .setPreviewEvery(0)
                .setOutputFormat(ImageFormat.IMAGE_FORMAT_JPEG)
                .setJpegQuality(1)
                .setOnDisconnect(OnDisconnect.ON_DISCONNECT_FINISH)
                .setRequestId(id);
    }

    private static Generations.Key name(String id) {
        return new Generations.Key("unknown", id);
    }

    /** Calls a method, and waits for the end of its stream. */
    private void generate(ServerStreamingMethod<GenerateRequest, GenerateResponse> method, GenerateRequest request) {
        ServerServiceDefinition service = ServerInterceptors.intercept(
                ServerServiceDefinition.builder(PortraitServiceGrpc.SERVICE_NAME)
                        .addMethod(PortraitServiceGrpc.getGenerateMethod(), asyncServerStreamingCall(method))
                        .build(),
                new AdmissionInterceptor(
                        new Admission(limits, quotas, threads, patience, System::nanoTime),
                        limits.clientStall(),
                        patience));
        Call call = new Call();
        ServerCall.Listener<GenerateRequest> listener = handler(service).startCall(call, new Metadata());
        listener.onMessage(request);
        listener.onHalfClose();
        assertThat(call.end.orTimeout(60, SECONDS).join().isOk()).isTrue();
        listener.onComplete();
    }

    @SuppressWarnings("unchecked") // the only method that it has
    private static ServerCallHandler<GenerateRequest, GenerateResponse> handler(ServerServiceDefinition service) {
        return (ServerCallHandler<GenerateRequest, GenerateResponse>)
                service.getMethod(PortraitServiceGrpc.getGenerateMethod().getFullMethodName())
                        .getServerCallHandler();
    }

    /** A call whose client reads at once whatever comes. */
    private static final class Call extends ServerCall<GenerateRequest, GenerateResponse> {
        private final CompletableFuture<Status> end = new CompletableFuture<>();

        @Override
        public void request(int messages) {}

        @Override
        public void sendHeaders(Metadata headers) {}

        @Override
        public void sendMessage(GenerateResponse message) {}

        @Override
        public void close(Status status, Metadata trailers) {
            end.complete(status);
        }

        @Override
        public boolean isCancelled() {
            return false;
        }

        @Override
        public MethodDescriptor<GenerateRequest, GenerateResponse> getMethodDescriptor() {
            return PortraitServiceGrpc.getGenerateMethod();
        }
    }
}
