package dev.arc2face.gateway.rest;

import static dev.arc2face.gateway.Waiting.await;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.grpc.ConnectedTest;
import dev.arc2face.gateway.grpc.Gateway;
import dev.arc2face.gateway.triton.TritonResource;
import dev.arc2face.v1.AlignedFace;
import dev.arc2face.v1.Average;
import dev.arc2face.v1.CancelGenerationResponse;
import dev.arc2face.v1.CompareFacesRequest;
import dev.arc2face.v1.CompareFacesResponse;
import dev.arc2face.v1.DetectFacesRequest;
import dev.arc2face.v1.DetectFacesResponse;
import dev.arc2face.v1.EmbedFaceRequest;
import dev.arc2face.v1.EmbedFaceResponse;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.GetModelInfoRequest;
import dev.arc2face.v1.GetModelInfoResponse;
import dev.arc2face.v1.IdentitySource;
import dev.arc2face.v1.ImageFormat;
import dev.arc2face.v1.Interpolation;
import dev.arc2face.v1.OnDisconnect;
import dev.arc2face.v1.PortraitImage;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What gRPC does, HTTP does as well, to the byte. */
@QuarkusTest
@WithTestResource(TritonResource.class)
class RestTest extends ConnectedTest {
    private final Http http = new Http();

    @ParameterizedTest
    @EnumSource(names = {"IMAGE_FORMAT_PNG", "IMAGE_FORMAT_JPEG"})
    void portraitsAreThoseOfGrpcByEventAndByAddress(ImageFormat format) {
        GenerateRequest.Builder request = request().setOutputFormat(format);
        List<ByteString> expected = gateway.portraits(request.clone());

        String id = http.begin(request);
        List<PortraitImage> images = Gateway.images(http.events(id).messages());

        assertThat(images).extracting(PortraitImage::getData).isEqualTo(expected);
        for (PortraitImage image : images) {
            String path = "/v1/generations/" + id + "/images/" + image.getImageIndex();
            Http.Response file = http.get(path).is(200);
            assertThat(ByteString.copyFrom(file.body())).isEqualTo(expected.get(image.getImageIndex()));
            assertThat(file.header("Content-Type"))
                    .isEqualTo(format == ImageFormat.IMAGE_FORMAT_PNG ? "image/png" : "image/jpeg");
            assertThat(file.header("Cache-Control")).isEqualTo("no-store");
            assertThat(file.header("Cross-Origin-Resource-Policy")).isEqualTo("same-origin");
            Http.Response again = http.of(http.request(path)
                    .header("If-None-Match", file.header("ETag"))
                    .build());
            assertThat(again.is(304).body()).isEmpty();
        }
        http.get("/v1/generations/" + id + "/images/2").failed(404, ErrorReason.GENERATION_NOT_FOUND);
    }

    @Test
    void eventsAreThoseOfGrpc() {
        List<GenerateResponse> expected = gateway.generate(longer());
        List<Events.Event> events = http.events(http.begin(longer())).all();

        assertThat(durable(events.stream().map(Events.Event::message).toList())).isEqualTo(durable(expected));
        List<GenerateResponse> all = expected.stream().map(Gateway::timeless).toList();
        assertThat(events.stream().map(Events.Event::message).map(Gateway::timeless))
                .isSubsetOf(all); // what has come before anybody listened is told in short
        assertThat(events)
                .extracting(Events.Event::name)
                .startsWith("accepted", "faceReport", "stepProgress")
                .contains("preview", "image")
                .endsWith("completed");
    }

    @Test
    void listenerMayDoWithoutTheBytesOfPortraits() {
        String id = http.begin(longer());
        List<GenerateResponse> events = http.events(id, "", "?imageData=false").messages();
        assertThat(Gateway.images(events)).hasSize(2).allSatisfy(image -> {
            assertThat(image.getData()).isEqualTo(ByteString.EMPTY);
            assertThat(image.getWidth()).isPositive();
        });
        assertThat(events.stream().filter(GenerateResponse::hasPreview))
                .isNotEmpty()
                .allSatisfy(
                        preview -> assertThat(preview.getPreview().getJpeg()).isNotEqualTo(ByteString.EMPTY));
    }

    @Test
    void whoAsksLearnsOfTheLatestEvent() {
        String id = http.begin(request());
        http.events(id).all();
        GenerateResponse latest =
                http.get("/v1/generations/" + id).is(200).message(GenerateResponse.getDefaultInstance());
        assertThat(latest.hasCompleted()).isTrue();
        http.get("/v1/generations/nobodys").failed(404, ErrorReason.GENERATION_NOT_FOUND);
    }

    static Stream<Arguments> identities() {
        ByteString photo = Gateway.sample();
        ByteString crop = ByteString.copyFrom(new byte[112 * 112 * 3]);
        IdentitySource.Builder empty = IdentitySource.newBuilder();
        return Stream.of(
                Arguments.of(Gateway.photo(photo), empty.build(), Map.of("identity.photo", photo)),
                Arguments.of(
                        Gateway.photo(photo).toBuilder().setFaceIndex(0).build(),
                        empty.clone().setFaceIndex(0).build(),
                        Map.of("identity.photo", photo)),
                Arguments.of(
                        aligned(crop),
                        IdentitySource.newBuilder()
                                .setAlignedFace(AlignedFace.getDefaultInstance())
                                .build(),
                        Map.of("identity.alignedFace.rgb", crop)),
                Arguments.of(aligned(crop), empty.build(), Map.of("identity.alignedFace.rgb", crop)),
                Arguments.of(Gateway.somebody(1), Gateway.somebody(1), Map.of()),
                Arguments.of(
                        average(Gateway.photo(photo), Gateway.photo(photo)),
                        empty.build(),
                        Map.of("identity.average.sources[1].photo", photo, "identity.average.sources[0].photo", photo)),
                Arguments.of(
                        between(Gateway.photo(photo), Gateway.somebody(2)),
                        between(empty.build(), Gateway.somebody(2)),
                        Map.of("identity.interpolation.first.photo", photo)),
                Arguments.of(
                        between(average(Gateway.photo(photo), Gateway.photo(photo)), Gateway.photo(photo)),
                        between(empty.build(), empty.build()),
                        Map.of(
                                "identity.interpolation.first.average.sources[0].photo", photo,
                                "identity.interpolation.first.average.sources[1].photo", photo,
                                "identity.interpolation.second.photo", photo)));
    }

    @ParameterizedTest
    @MethodSource("identities")
    void formIsTheRequestWhateverTheIdentity(
            IdentitySource whole, IdentitySource without, Map<String, ByteString> parts) {
        EmbedFaceResponse expected = gateway.service()
                .embedFace(EmbedFaceRequest.newBuilder().setIdentity(whole).build());
        EmbedFaceRequest request =
                EmbedFaceRequest.newBuilder().setIdentity(without).build();
        assertThat(http.form("/v1/faces:embed", form(Http.json(request), parts))
                        .is(200)
                        .message(EmbedFaceResponse.getDefaultInstance()))
                .isEqualTo(expected);
        assertThat(http.post(
                                "/v1/faces:embed",
                                EmbedFaceRequest.newBuilder().setIdentity(whole).build())
                        .is(200)
                        .message(EmbedFaceResponse.getDefaultInstance()))
                .isEqualTo(expected);
    }

    @Test
    void formBeginsAGeneration() {
        GenerateRequest.Builder request = request().clearIdentity();
        GenerateResponse accepted = http.form(
                        "/v1/generations", form(Http.json(request.build()), Map.of("identity.photo", Gateway.sample())))
                .is(202)
                .event();
        assertThat(Gateway.images(http.events(accepted.getAccepted().getRequestId())
                                .messages())
                        .stream()
                        .map(PortraitImage::getData))
                .isEqualTo(gateway.portraits(request.setIdentity(Gateway.photo(Gateway.sample()))));
    }

    @Test
    void facesAreThoseOfGrpc() {
        DetectFacesRequest detect =
                DetectFacesRequest.newBuilder().setPhoto(Gateway.sample()).build();
        DetectFacesResponse faces = gateway.service().detectFaces(detect);
        assertThat(faces.getFacesCount()).isEqualTo(1);
        assertThat(http.post("/v1/faces:detect", detect).is(200).message(DetectFacesResponse.getDefaultInstance()))
                .isEqualTo(faces);
        assertThat(http.form("/v1/faces:detect", form(Map.of("photo", Gateway.sample())))
                        .is(200)
                        .message(DetectFacesResponse.getDefaultInstance()))
                .isEqualTo(faces);

        CompareFacesRequest compare = CompareFacesRequest.newBuilder()
                .setFirst(Gateway.photo(Gateway.sample()))
                .setSecond(Gateway.somebody(1))
                .build();
        CompareFacesResponse compared = gateway.service().compareFaces(compare);
        assertThat(http.post("/v1/faces:compare", compare).is(200).message(CompareFacesResponse.getDefaultInstance()))
                .isEqualTo(compared);
        CompareFacesRequest withoutPhoto = compare.toBuilder().clearFirst().build();
        assertThat(http.form(
                                "/v1/faces:compare",
                                form(Http.json(withoutPhoto), Map.of("first.photo", Gateway.sample())))
                        .is(200)
                        .message(CompareFacesResponse.getDefaultInstance()))
                .isEqualTo(compared);

        assertThat(http.get("/v1/model").is(200).message(GetModelInfoResponse.getDefaultInstance()))
                .isEqualTo(gateway.service().getModelInfo(GetModelInfoRequest.getDefaultInstance()));
    }

    @ParameterizedTest
    @EnumSource(names = {"ON_DISCONNECT_CANCEL", "ON_DISCONNECT_FINISH"})
    void cutAtAnyEventItGoesOnAsIfUncut(OnDisconnect onDisconnect) {
        String uncutId = http.begin(request().setOnDisconnect(onDisconnect));
        List<GenerateResponse> uncut = http.events(uncutId).messages();
        assertThat(uncut).hasSizeGreaterThan(8);

        for (int cut = 1; cut < uncut.size(); cut++) {
            GenerateRequest.Builder request =
                    request().setOnDisconnect(onDisconnect).setRequestId("rest-cut-" + onDisconnect + "-" + cut);
            String id = http.begin(request);
            List<Events.Event> seen;
            try (Events events = http.events(id)) {
                seen = events.upTo(cut);
                if (onDisconnect == OnDisconnect.ON_DISCONNECT_CANCEL) {
                    events.all(); // it would end
                }
            }
            List<GenerateResponse> joined =
                    seen.stream().map(Events.Event::message).collect(Collectors.toCollection(ArrayList::new));
            if (!joined.get(joined.size() - 1).hasCompleted()) {
                joined.addAll(
                        http.events(id, seen.get(seen.size() - 1).id(), "").messages());
            }
            assertThat(durable(joined)).as("cut after %d events", cut).isEqualTo(durable(uncut));
            assertThat(joined.stream().filter(event -> !event.hasQueued()))
                    .extracting(GenerateResponse::getSequence)
                    .isSorted()
                    .doesNotHaveDuplicates();
        }
    }

    @Test
    void addressSaysWhereToGoOnAsWell() {
        String id = http.begin(request());
        List<Events.Event> all = http.events(id).all();
        List<Events.Event> rest =
                http.events(id, "", "?afterSequence=" + all.get(1).id()).all();
        assertThat(rest.stream().filter(RestTest::isKept))
                .isEqualTo(all.stream().filter(RestTest::isKept).skip(2).toList());
    }

    @Test
    void whoHasSeenItAllIsToldNotToComeBack() {
        String id = http.begin(request());
        List<Events.Event> all = http.events(id).all();
        Http.Response nothing = http.of(http.request("/v1/generations/" + id + "/events")
                .header("Last-Event-ID", all.get(all.size() - 1).id())
                .build());
        assertThat(nothing.is(204).body()).isEmpty();
    }

    @Test
    void failureIsTheLastEventAndFinal() {
        GenerateRequest.Builder request =
                request().setIdentity(Gateway.photo(Gateway.sample().substring(0, 5000)));
        String id = http.begin(request);
        List<Events.Event> events = http.events(id).all();
        Events.Event last = events.get(events.size() - 1);
        assertThat(last.name()).isEqualTo("error");
        assertThat(Http.Failed.of(last.data(), 400, ErrorReason.IMAGE_DECODE_FAILED)
                        .fields())
                .containsExactly("identity.photo");
        http.of(http.request("/v1/generations/" + id + "/events")
                        .header("Last-Event-ID", last.id())
                        .build())
                .is(204);
        http.get("/v1/generations/" + id).failed(400, ErrorReason.IMAGE_DECODE_FAILED);
    }

    @Test
    void whoIsLeftEndsUnlessAskedToFinish() {
        String left = http.begin(longer().setRequestId("rest-left"));
        String goesOn =
                http.begin(longer().setRequestId("rest-goes-on").setOnDisconnect(OnDisconnect.ON_DISCONNECT_FINISH));
        for (String id : List.of(left, goesOn)) {
            try (Events events = http.events(id)) {
                events.take(3);
            }
        }
        await().until(() -> http.get("/v1/generations/" + left).status() == 404);
        await().until(() -> http.get("/v1/generations/" + goesOn).event().hasCompleted());
    }

    @Test
    void laterListenerGoesOnInThePlaceOfTheEarlierOne() {
        String id = http.begin(longer().setRequestId("rest-taken-over"));
        try (Events earlier = http.events(id)) {
            String seen = earlier.take(2).get(1).id();
            List<GenerateResponse> rest = http.events(id, seen, "").messages();
            assertThat(Gateway.images(rest)).hasSize(2);
            List<Events.Event> end = earlier.all();
            Events.Event last = end.get(end.size() - 1);
            Http.Failed.of(last.data(), 499, ErrorReason.CANCELLED);
            http.of(http.request("/v1/generations/" + id + "/events")
                            .header("Last-Event-ID", last.id())
                            .build())
                    .is(204); // or the two would take it from each other for ever
        }
    }

    @Test
    void cancelledGenerationIsForgotten() {
        String id =
                http.begin(longer().setRequestId("rest-cancelled").setOnDisconnect(OnDisconnect.ON_DISCONNECT_FINISH));
        try (Events events = http.events(id)) {
            events.take(3);
            assertThat(http.delete("/v1/generations/" + id)
                            .is(200)
                            .message(CancelGenerationResponse.getDefaultInstance())
                            .getCancelled())
                    .isTrue();
            List<Events.Event> rest = events.all();
            Http.Failed.of(rest.get(rest.size() - 1).data(), 499, ErrorReason.CANCELLED);
        }
        http.delete("/v1/generations/" + id).failed(404, ErrorReason.GENERATION_NOT_FOUND);
        http.get("/v1/generations/" + id).failed(404, ErrorReason.GENERATION_NOT_FOUND);
    }

    @Test
    void beginningAgainIsTheSameGeneration() {
        GenerateRequest.Builder request =
                longer().setRequestId("rest-again").setOnDisconnect(OnDisconnect.ON_DISCONNECT_FINISH);
        GenerateResponse first =
                http.post("/v1/generations", request.build()).is(202).event();
        try (Events events = http.events("rest-again")) {
            events.take(2);
            assertThat(http.post("/v1/generations", request.build()).is(202).event())
                    .isEqualTo(first);
            assertThat(events.take(1)).isNotEmpty(); // whoever listens goes on listening
        }
        http.post("/v1/generations", request.clone().setSteps(3).build()).failed(409, ErrorReason.REQUEST_ID_CONFLICT);
        http.delete("/v1/generations/rest-again").is(200);
    }

    @Test
    void generationOfGrpcCanBeListenedTo() {
        GenerateRequest.Builder request =
                request().setRequestId("from-grpc").setOnDisconnect(OnDisconnect.ON_DISCONNECT_FINISH);
        List<GenerateResponse> events = gateway.generate(request);
        assertThat(http.events("from-grpc").messages()).isEqualTo(durableAndProgress(events));
    }

    @Test
    void noCallRunsOnAnEventLoop() {
        List<String> threads = new CopyOnWriteArrayList<>();
        Handler audit = new Handler() {
            @Override
            public void publish(LogRecord line) {
                threads.add(Thread.currentThread().getName());
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        String id = http.begin(request());
        http.events(id).all();
        Logger log = Logger.getLogger("dev.arc2face.audit");
        log.addHandler(audit);
        try {
            http.get("/v1/generations/" + id).is(200);
            http.events(id).all();
            http.post("/v1/generations", request().setRequestId(id).setSteps(3).build())
                    .is(409);
            http.post("/v1/faces:detect", DetectFacesRequest.getDefaultInstance())
                    .is(400);
            await().until(() -> threads.size() >= 4);
        } finally {
            log.removeHandler(audit);
        }
        assertThat(threads).noneMatch(thread -> thread.contains("eventloop"));
    }

    private static GenerateRequest.Builder request() {
        return Gateway.request(Gateway.somebody(1))
                .setNumImages(2)
                .setSteps(4)
                .setPreviewEvery(2)
                .setSeed(7);
    }

    private static GenerateRequest.Builder longer() {
        return request().setSteps(60);
    }

    private static IdentitySource aligned(ByteString rgb) {
        return IdentitySource.newBuilder()
                .setAlignedFace(AlignedFace.newBuilder().setRgb(rgb))
                .build();
    }

    private static IdentitySource average(IdentitySource... sources) {
        return IdentitySource.newBuilder()
                .setAverage(Average.newBuilder().addAllSources(List.of(sources)))
                .build();
    }

    private static IdentitySource between(IdentitySource first, IdentitySource second) {
        return IdentitySource.newBuilder()
                .setInterpolation(Interpolation.newBuilder()
                        .setFirst(first)
                        .setSecond(second)
                        .addT(0.5f))
                .build();
    }

    private static Map<String, byte[]> form(String request, Map<String, ByteString> parts) {
        Map<String, byte[]> form = form(parts);
        form.put("request", request.getBytes(UTF_8));
        return form;
    }

    private static Map<String, byte[]> form(Map<String, ByteString> parts) {
        Map<String, byte[]> form = new LinkedHashMap<>();
        parts.forEach((name, bytes) -> form.put(name, bytes.toByteArray()));
        return form;
    }

    private static boolean isKept(Events.Event event) {
        return isKept(event.message());
    }

    private static boolean isKept(GenerateResponse event) {
        return event.hasAccepted() || event.hasFaceReport() || event.hasImage() || event.hasCompleted();
    }

    private static List<GenerateResponse> durable(List<GenerateResponse> events) {
        return events.stream().filter(RestTest::isKept).map(Gateway::timeless).toList();
    }

    /** What is told to whoever comes when all is over: all but previews and progress but the last. */
    private static List<GenerateResponse> durableAndProgress(List<GenerateResponse> events) {
        Optional<GenerateResponse> progress =
                events.stream().filter(GenerateResponse::hasStepProgress).reduce((one, later) -> later);
        return events.stream()
                .filter(event -> isKept(event) || progress.filter(event::equals).isPresent())
                .toList();
    }
}
