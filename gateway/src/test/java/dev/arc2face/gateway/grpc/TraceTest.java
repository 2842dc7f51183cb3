package dev.arc2face.gateway.grpc;

import static dev.arc2face.gateway.Waiting.await;
import static io.opentelemetry.api.common.AttributeKey.longKey;
import static io.opentelemetry.api.common.AttributeKey.stringKey;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.arc2face.gateway.trace.SpansInMemory;
import dev.arc2face.gateway.triton.SharedTriton;
import dev.arc2face.gateway.triton.TritonResource;
import dev.arc2face.v1.CompareFacesRequest;
import dev.arc2face.v1.DetectFacesRequest;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.OnDisconnect;
import dev.arc2face.v1.PortraitServiceGrpc.PortraitServiceBlockingStub;
import io.grpc.Metadata;
import io.grpc.stub.MetadataUtils;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

/** What a caller's trace shows of its call, span by span. */
@QuarkusTest
@TestProfile(TraceTest.Traced.class)
@WithTestResource(TritonResource.class)
class TraceTest extends ConnectedTest {
    private static final String CALLERS_SPAN = "00f067aa0ba902b7";
    private static final int STEPS = 3;

    /** Spans are kept in memory, and are there as soon as they have ended. */
    public static final class Traced implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of("otel.traces.exporter", "memory", "otel.bsp.schedule.delay", "1");
        }
    }

    private final String traceId = UUID.randomUUID().toString().replace("-", "");

    @Test
    void everyStageAndModelCallIsASpanOfTheCallersTrace() {
        generate(Gateway.request(Gateway.photo(Gateway.sample()))
                .setNumImages(2)
                .setSteps(STEPS)
                .setSeed(1)
                .setPreviewEvery(0)
                .setRequestId("traced"));
        List<SpanData> spans = awaitSpans("generation");

        SpanData call = one(spans, "arc2face.v1.PortraitService/Generate");
        assertThat(call.getParentSpanId()).isEqualTo(CALLERS_SPAN);
        assertThat(call.getKind()).isEqualTo(SpanKind.SERVER);
        SpanData generation = one(spans, "generation");
        assertThat(generation.getParentSpanId()).isEqualTo(call.getSpanId());
        assertThat(generation.getAttributes().get(stringKey("arc2face.request_id")))
                .isEqualTo("traced");

        List<String> stages = new ArrayList<>(List.of("queue", "decode", "detect", "align", "embed", "encode"));
        for (int step = 0; step < STEPS; step++) {
            stages.add("denoise");
        }
        stages.addAll(List.of("vae_decode", "score"));
        List<SpanData> inGeneration = children(spans, generation);
        assertThat(inGeneration.stream().map(SpanData::getName).filter(name -> !name.equals("image_encode")))
                .containsExactlyElementsOf(stages);
        assertThat(named(inGeneration, "image_encode")).hasSize(2); // beside the scoring, on threads of their own
        assertThat(named(inGeneration, "denoise").stream()
                        .map(span -> span.getAttributes().get(longKey("arc2face.step"))))
                .containsExactly(1L, 2L, 3L);

        assertThat(calls(spans, "detect")).containsExactly("ModelInfer face_detector");
        assertThat(calls(spans, "embed")).containsExactly("ModelInfer arcface");
        assertThat(calls(spans, "encode")).containsExactly("ModelInfer encoder");
        assertThat(calls(spans, "denoise")).containsExactly("ModelInfer unet", "ModelInfer unet", "ModelInfer unet");
        assertThat(calls(spans, "vae_decode")).containsExactly("ModelInfer vae_decoder");
        assertThat(calls(spans, "score")).startsWith("ModelInfer face_detector");
        SpanData decoding = one(spans, "ModelInfer vae_decoder");
        assertThat(decoding.getKind()).isEqualTo(SpanKind.CLIENT);
        assertThat(decoding.getAttributes().asMap())
                .containsEntry(stringKey("arc2face.model"), "vae_decoder")
                .containsEntry(stringKey("arc2face.replica"), SharedTriton.get().target())
                .containsEntry(longKey("arc2face.rows"), 2L)
                .containsEntry(longKey("arc2face.rows_in_flight"), 2L)
                .containsEntry(longKey("arc2face.attempt"), 1L)
                .containsEntry(longKey("rpc.grpc.status_code"), 0L);

        assertThat(spans).allMatch(SpanData::hasEnded);
        for (SpanData span : spans) {
            assertThat(span.getStatus().getStatusCode()).isNotEqualTo(StatusCode.ERROR);
            spans.stream()
                    .filter(parent -> parent.getSpanId().equals(span.getParentSpanId()))
                    .filter(parent -> !parent.equals(call))
                    .forEach(parent -> assertThat(span.getStartEpochNanos())
                            .isBetween(parent.getStartEpochNanos(), parent.getEndEpochNanos()));
        }
    }

    @Test
    void unaryCallsAreTracedOnTheirOwnThreads() {
        stub().detectFaces(DetectFacesRequest.newBuilder()
                .setPhoto(Gateway.sample())
                .build());
        assertThat(children(awaitSpans("arc2face.v1.PortraitService/DetectFaces"), "DetectFaces"))
                .containsExactly("queue", "decode", "detect");
        stub().compareFaces(CompareFacesRequest.newBuilder()
                .setFirst(Gateway.photo(Gateway.sample()))
                .setSecond(Gateway.somebody(1))
                .build());
        assertThat(children(awaitSpans("arc2face.v1.PortraitService/CompareFaces"), "CompareFaces"))
                .containsExactly("queue", "decode", "detect", "align", "embed");
    }

    @Test
    void spansOfWhatFailedSayWhy() throws IOException {
        ByteString grey = grey();
        Failure.of(() -> generate(Gateway.request(Gateway.photo(grey)).setSteps(STEPS)));
        List<SpanData> spans = awaitSpans("generation");
        for (String name : List.of("arc2face.v1.PortraitService/Generate", "generation")) {
            SpanData failed = one(spans, name);
            assertThat(failed.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
            assertThat(failed.getAttributes().get(stringKey("error.type"))).isEqualTo("NO_FACE_DETECTED");
            assertThat(failed.getEvents()).isEmpty(); // exceptions have messages, which tell of requests
        }
    }

    @Test
    void callThatGoesOnWithAGenerationPointsAtIt() {
        GenerateRequest request = Gateway.request(Gateway.somebody(1))
                .setSteps(STEPS)
                .setSeed(1)
                .setRequestId("linked-" + traceId)
                .setOnDisconnect(OnDisconnect.ON_DISCONNECT_FINISH)
                .build();
        generate(request.toBuilder());
        SpanData generation = one(awaitSpans("generation"), "generation");
        generate(request.toBuilder().setAfterSequence(2));

        await().until(() -> named(SpansInMemory.of(traceId), "arc2face.v1.PortraitService/Generate")
                        .size()
                == 2);
        SpanData later = inOrder(
                        SpansInMemory.of(traceId), span -> span.getName().endsWith("/Generate"))
                .get(1);
        assertThat(later.getLinks())
                .singleElement()
                .satisfies(link -> assertThat(link.getSpanContext()).isEqualTo(generation.getSpanContext()));
        assertThat(children(SpansInMemory.of(traceId), later)).isEmpty();
    }

    @Test
    void callerDecidesWhetherItsTraceIsKept() {
        GenerateResponse accepted = generate(
                        stub("00"), Gateway.request(Gateway.somebody(1)).setSteps(1))
                .get(0);
        assertThat(accepted.hasAccepted()).isTrue();
        generate(Gateway.request(Gateway.somebody(1)).setSteps(1)); // which ends later, and is exported later
        assertThat(named(awaitSpans("generation"), "generation")).hasSize(1);
    }

    @Test
    void countersNameATraceThatTheyHaveCounted() {
        generate(Gateway.request(Gateway.somebody(1)).setSteps(1));
        assertThat(Gateway.metrics())
                .containsPattern("arc2face_model_rows_total\\{model=\"unet\".* # "
                        + "\\{span_id=\"[0-9a-f]{16}\",trace_id=\"[0-9a-f]{32}\"}");
    }

    private static ByteString grey() throws IOException {
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        ImageIO.write(new BufferedImage(200, 200, BufferedImage.TYPE_INT_RGB), "png", png);
        return ByteString.copyFrom(png.toByteArray());
    }

    private List<GenerateResponse> generate(GenerateRequest.Builder request) {
        return generate(stub(), request);
    }

    private static List<GenerateResponse> generate(PortraitServiceBlockingStub stub, GenerateRequest.Builder request) {
        List<GenerateResponse> events = new ArrayList<>();
        Iterator<GenerateResponse> answer = stub.generate(request.build());
        answer.forEachRemaining(events::add);
        return events;
    }

    private PortraitServiceBlockingStub stub() {
        return stub("01");
    }

    /** @param flags 01 where the caller keeps its trace */
    private PortraitServiceBlockingStub stub(String flags) {
        Metadata headers = new Metadata();
        headers.put(
                Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER),
                String.join("-", "00", traceId, CALLERS_SPAN, flags));
        return gateway.service().withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
    }

    /** The spans of the trace in the order in which they began, once this one and those of its call are there. */
    private List<SpanData> awaitSpans(String name) {
        await().until(() -> {
            Set<String> names =
                    SpansInMemory.of(traceId).stream().map(SpanData::getName).collect(Collectors.toSet());
            return names.contains(name) && names.stream().anyMatch(each -> each.startsWith("arc2face.v1."));
        });
        return inOrder(SpansInMemory.of(traceId), span -> true);
    }

    private static List<SpanData> inOrder(List<SpanData> spans, Predicate<SpanData> which) {
        return spans.stream()
                .filter(which)
                .sorted(Comparator.comparingLong(SpanData::getStartEpochNanos))
                .toList();
    }

    private static List<SpanData> named(List<SpanData> spans, String name) {
        return inOrder(spans, span -> span.getName().equals(name));
    }

    private static SpanData one(List<SpanData> spans, String name) {
        List<SpanData> all = named(spans, name);
        assertThat(all).hasSize(1);
        return all.get(0);
    }

    private static List<SpanData> children(List<SpanData> spans, SpanData parent) {
        return inOrder(spans, span -> span.getParentSpanId().equals(parent.getSpanId()));
    }

    private static List<String> children(List<SpanData> spans, String method) {
        return children(spans, one(spans, "arc2face.v1.PortraitService/" + method)).stream()
                .map(SpanData::getName)
                .toList();
    }

    /** Names of the spans inside those of this name. */
    private static List<String> calls(List<SpanData> spans, String stage) {
        return named(spans, stage).stream()
                .flatMap(span -> children(spans, span).stream())
                .map(SpanData::getName)
                .toList();
    }
}
