package dev.arc2face.gateway.cli;

import static dev.arc2face.gateway.Waiting.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Duration;
import com.google.rpc.Code;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.arc2face.gateway.dataset.Python;
import dev.arc2face.v1.Defaults;
import dev.arc2face.v1.Face;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.GetModelInfoRequest;
import dev.arc2face.v1.GetModelInfoResponse;
import dev.arc2face.v1.IdentityScore;
import dev.arc2face.v1.ImageFormat;
import dev.arc2face.v1.Point;
import dev.arc2face.v1.PortraitImage;
import dev.arc2face.v1.PortraitServiceGrpc.PortraitServiceImplBase;
import dev.arc2face.v1.ServedModel;
import dev.arc2face.v1.VariantInfo;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.StreamObserver;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command against a server that says what each test wants; the real one is met in {@link DatasetOnRealServerTest}. */
class DatasetCommandTest {
    private static final String RECOGNISER = "mobileface-human-models-3.0.4";
    private static final float[] LANDMARKS = {45, 50, 83, 50, 64, 72, 50, 92, 78, 92};

    @TempDir
    private static Path shared;

    @TempDir
    private Path folder;

    private static Path prior;
    private static ByteString png;

    private final List<GenerateRequest> received = new CopyOnWriteArrayList<>();
    private String recogniser = RECOGNISER;
    private Function<GenerateRequest, PortraitImage.Builder> answer = request -> portrait(request, 0.7f);
    private boolean answers = true;
    private Client client;

    @BeforeAll
    static void prepare() throws IOException {
        prior = Python.identityPrior(shared);
        ByteArrayOutputStream encoded = new ByteArrayOutputStream();
        ImageIO.write(new BufferedImage(128, 128, BufferedImage.TYPE_INT_RGB), "png", encoded);
        png = ByteString.copyFrom(encoded.toByteArray());
    }

    @BeforeEach
    void start() throws IOException {
        client = new Client(new PortraitServiceImplBase() {
            @Override
            public void getModelInfo(GetModelInfoRequest request, StreamObserver<GetModelInfoResponse> stream) {
                stream.onNext(info());
                stream.onCompleted();
            }

            @Override
            public void generate(GenerateRequest request, StreamObserver<GenerateResponse> stream) {
                received.add(request);
                if (!answers) {
                    return;
                }
                try {
                    stream.onNext(GenerateResponse.newBuilder()
                            .setImage(answer.apply(request))
                            .build());
                    stream.onCompleted();
                } catch (StatusRuntimeException refused) {
                    stream.onError(refused);
                }
            }
        });
    }

    @AfterEach
    void stop() {
        client.close();
    }

    private GetModelInfoResponse info() {
        return GetModelInfoResponse.newBuilder()
                .setProfile("mini")
                .setRecogniserId(recogniser)
                .setEmbeddingSize(256)
                .setImageWidth(128)
                .setImageHeight(128)
                .setSamePersonThreshold(0.375f)
                .setDefaults(Defaults.newBuilder().setVariant("base").setJpegQuality(92))
                .addVariants(variant("base", "unet", 12, 1.5f, "dpmpp_2m"))
                .addVariants(variant("lcm", "unet_lcm", 4, 1, "lcm"))
                .addModels(model("arcface", "its own"))
                .addModels(model("unet", "of the unet"))
                .addModels(model("unet_lcm", "of the other unet"))
                .addModels(model("vae_decoder", "of the decoder"))
                .addLicenceNotes("for tests")
                .build();
    }

    private static VariantInfo variant(String id, String model, int steps, float guidance, String scheduler) {
        return VariantInfo.newBuilder()
                .setId(id)
                .setModel(model)
                .setDefaultSteps(steps)
                .setDefaultGuidanceScale(guidance)
                .setDefaultScheduler(scheduler)
                .build();
    }

    private static ServedModel model(String name, String licence) {
        return ServedModel.newBuilder()
                .setName(name)
                .setSha256("hash of " + name)
                .setLicence(licence)
                .build();
    }

    private static PortraitImage.Builder portrait(GenerateRequest request, float similarity) {
        Face.Builder face = Face.newBuilder();
        for (int i = 0; i < LANDMARKS.length; i += 2) {
            face.addLandmarks(Point.newBuilder().setX(LANDMARKS[i]).setY(LANDMARKS[i + 1]));
        }
        return PortraitImage.newBuilder()
                .setData(png)
                .setFormat(ImageFormat.IMAGE_FORMAT_PNG)
                .setWidth(128)
                .setHeight(128)
                .setSeed(request.getSeed() + 1)
                .setAttempts(2)
                .setIdentityScore(
                        IdentityScore.newBuilder().setSimilarity(similarity).setFace(face));
    }

    /** A refusal that may pass. */
    private static StatusRuntimeException passing(Code code, String reason) {
        return StatusProto.toStatusRuntimeException(refusal(code, reason)
                .addDetails(Any.pack(RetryInfo.newBuilder()
                        .setRetryDelay(Duration.newBuilder().setNanos(1_000_000))
                        .build()))
                .build());
    }

    private static com.google.rpc.Status.Builder refusal(Code code, String reason) {
        return com.google.rpc.Status.newBuilder()
                .setCode(code.getNumber())
                .setMessage("no")
                .addDetails(Any.pack(ErrorInfo.newBuilder().setReason(reason).build()));
    }

    private Path set() {
        return folder.resolve("set");
    }

    private int execute(String... more) {
        List<String> args = new ArrayList<>(List.of(
                "dataset",
                client.target(),
                "--identities=2",
                "--per-identity=3",
                "--prior=" + prior,
                "--out=" + set()));
        args.addAll(List.of(more));
        return client.execute(args.toArray(String[]::new));
    }

    private List<JsonObject> manifest() throws IOException {
        return Files.readAllLines(set().resolve("manifest.jsonl")).stream()
                .map(line -> JsonParser.parseString(line).getAsJsonObject())
                .toList();
    }

    @Test
    void everyPictureIsARequestOfItsOwnThatLeavesNothingToTheServer() {
        assertThat(execute("--seed=5", "--guidance-until=0.5")).isZero();
        Set<Integer> seeds = new HashSet<>();
        Set<List<Float>> people = new HashSet<>();
        for (GenerateRequest request : received) {
            seeds.add(request.getSeed());
            people.add(request.getIdentity().getEmbedding().getValuesList());
            assertThat(request.getIdentity().getEmbedding().getRecogniserId()).isEqualTo(RECOGNISER);
            assertThat(request.toBuilder().clearIdentity().clearSeed().build())
                    .isEqualTo(GenerateRequest.newBuilder()
                            .setVariant("base")
                            .setSteps(12)
                            .setGuidanceScale(1.5f)
                            .setGuidanceUntil(0.5f)
                            .setScheduler("dpmpp_2m")
                            .setPreviewEvery(0)
                            .setMinSimilarity(0.375f)
                            .setMaxAttempts(4)
                            .build());
        }
        assertThat(received).hasSize(6);
        assertThat(seeds).hasSize(6);
        assertThat(people).hasSize(2);
        assertThat(client.out()).isEqualTo(set() + ": 6 pictures of 2 identities, 0 missed, mean similarity 0.700\n");
    }

    @Test
    void theManifestSaysWhatTheServerSaid() throws IOException {
        assertThat(execute("--variant=lcm", "--json")).isZero();
        List<JsonObject> rows = manifest();
        assertThat(rows).hasSize(6);
        JsonObject row = rows.get(4);
        assertThat(row.get("identity").getAsInt()).isEqualTo(1);
        assertThat(row.get("picture").getAsInt()).isEqualTo(1);
        assertThat(row.get("attempts").getAsInt()).isEqualTo(2);
        assertThat(row.get("similarity").getAsFloat()).isEqualTo(0.7f);
        assertThat(row.get("licence").getAsString()).isEqualTo("of the decoder; of the other unet");
        assertThat(row.getAsJsonArray("landmarks").asList().stream().map(value -> value.getAsFloat()))
                .containsExactly(45f, 50f, 83f, 50f, 64f, 72f, 50f, 92f, 78f, 92f);
        assertThat(received)
                .extracting(request -> Integer.toUnsignedLong(request.getSeed() + 1))
                .contains(row.get("seed").getAsLong());
        assertThat(row.has("training_cosine")).isFalse();
        JsonObject settings = JsonParser.parseString(Files.readString(set().resolve("dataset.json")))
                .getAsJsonObject();
        assertThat(settings.getAsJsonObject("models").getAsJsonObject("sha256").keySet())
                .containsExactly("arcface", "unet_lcm", "vae_decoder");
        assertThat(JsonParser.parseString(client.out()).getAsJsonObject())
                .hasToString("{\"identities\":2,\"pictures\":6,\"missed\":0,\"attempts\":12,\"mean_similarity\":"
                        + "0.699999988079071,\"least_similarity\":0.699999988079071}");
    }

    @Test
    void aServerThatIsFullOrAwayIsWaitedFor() throws IOException {
        List<StatusRuntimeException> refusals = new CopyOnWriteArrayList<>(List.of(
                passing(Code.RESOURCE_EXHAUSTED, "QUEUE_FULL"),
                passing(Code.UNAVAILABLE, "SHUTTING_DOWN"),
                passing(Code.UNAVAILABLE, "MODEL_SERVER_UNAVAILABLE")));
        answer = request -> {
            synchronized (refusals) {
                if (!refusals.isEmpty()) {
                    throw refusals.remove(0);
                }
            }
            return portrait(request, 0.7f);
        };
        assertThat(execute()).isZero();
        assertThat(received).hasSize(9);
        assertThat(manifest()).hasSize(6);
    }

    @Test
    void patienceEndsAndWhatWasDrawnIsNotDrawnAgain() throws IOException {
        answer = request -> {
            if (received.size() > 4) {
                throw passing(Code.UNAVAILABLE, "MODEL_SERVER_UNAVAILABLE");
            }
            return portrait(request, 0.7f);
        };
        assertThat(execute("--patience=50ms", "--concurrency=1")).isEqualTo(ExitCode.UNAVAILABLE.number());
        assertThat(client.err()).contains("[MODEL_SERVER_UNAVAILABLE]");
        assertThat(set().resolve("manifest.jsonl")).doesNotExist();
        received.clear();
        answer = request -> portrait(request, 0.7f);
        assertThat(execute()).isZero();
        assertThat(received).hasSize(2);
        assertThat(manifest()).hasSize(6);
    }

    @Test
    void whatTheServerRefusesForGoodEndsTheRun() {
        answer = request -> {
            throw StatusProto.toStatusRuntimeException(
                    refusal(Code.PERMISSION_DENIED, "POLICY_REFUSED").build());
        };
        assertThat(execute("--concurrency=1")).isEqualTo(ExitCode.FORBIDDEN.number());
        assertThat(client.err().lines()).singleElement().asString().startsWith("error: no [POLICY_REFUSED]");
    }

    @Test
    void aPictureThatNoAttemptWasGoodEnoughForIsMissedForGood() throws IOException {
        answer = request -> switch (received.indexOf(request)) {
            case 0 -> portrait(request, 0.1f).setBelowMinSimilarity(true);
            case 1 ->
                portrait(request, 0).setIdentityScore(IdentityScore.newBuilder().setNoFaceFound(true));
            default -> portrait(request, 0.7f);
        };
        assertThat(execute("--concurrency=1")).isZero();
        assertThat(manifest()).hasSize(4);
        assertThat(client.out()).contains("4 pictures of 2 identities, 2 missed");
        received.clear();
        assertThat(execute()).isZero();
        assertThat(received).isEmpty();
        try (Stream<Path> files = Files.walk(set().resolve("images"))) {
            assertThat(files.filter(Files::isRegularFile)).hasSize(4);
        }
    }

    @Test
    void anInterruptedRunGoesOn() throws Exception {
        answers = false;
        CompletableFuture<Integer> code = new CompletableFuture<>();
        Thread command = new Thread(() -> code.complete(execute()));
        command.start();
        await().until(() -> received.size() == 4);
        command.interrupt();
        assertThat(code.get()).isEqualTo(ExitCode.INTERRUPTED.number());
        assertThat(client.err()).isEqualTo("error: interrupted; the same command goes on from here\n");
        answers = true;
        assertThat(execute()).isZero();
        assertThat(manifest()).hasSize(6);
    }

    @Test
    void trainingEmbeddingsAreHeldAgainstEachIdentity() throws IOException {
        assertThat(execute("--training=" + Python.heldOut())).isZero();
        String file = set().resolve("identities.npy").toAbsolutePath().toString();
        List<Double> expected = Python.run(
                        "-c",
                        "import sys, numpy; a, b = map(numpy.load, sys.argv[1:]); print(*(a @ b.T).max(axis=1))",
                        file,
                        Python.heldOut().toString())
                .stream()
                .flatMap(line -> Stream.of(line.split(" ")))
                .map(Double::valueOf)
                .toList();
        for (JsonObject row : manifest()) {
            assertThat(row.get("training_cosine").getAsDouble())
                    .isCloseTo(expected.get(row.get("identity").getAsInt()), org.assertj.core.data.Offset.offset(1e-5));
        }
        assertThat(set().resolve("README.md")).content().contains("held against 200 training embeddings");
    }

    @Test
    void givenPeopleChangeWhoIsDrawnAndAreNotInTheFolder() throws IOException {
        assertThat(execute()).isZero();
        Path first = set().resolve("identities.npy");
        Path given = Files.copy(first, folder.resolve("given.npy"));
        client.forget();
        assertThat(execute("--away-from=" + given)).isEqualTo(ExitCode.BAD_INPUT.number());
        assertThat(client.err()).contains("away_from", "[FOLDER_HOLDS_SOMETHING_ELSE]");
        Files.move(set(), folder.resolve("first"));
        assertThat(execute("--away-from=" + given)).isZero();
        assertThat(set().resolve("README.md")).content().contains("towards 2 given embeddings");
        assertThat(Files.readAllBytes(set().resolve("identities.npy"))).isNotEqualTo(Files.readAllBytes(given));
    }

    @Test
    void withoutAPriorForTheRecogniserItIsSaidHowToMakeOne() {
        recogniser = "another";
        assertThat(execute()).isEqualTo(ExitCode.BAD_INPUT.number());
        assertThat(client.err()).contains("[PRIOR_OF_OTHER_RECOGNISER]");
        client.forget();
        int code = client.execute("dataset", client.target(), "--identities=1", "--per-identity=1", "--out=" + set());
        assertThat(code).isEqualTo(ExitCode.BAD_INPUT.number());
        assertThat(client.err()).contains("no identity prior for another", "training.identity_prior", "--prior");
    }

    @Test
    void impossibleOptionsAreUsageErrorsInOneLine() {
        for (String wrong : List.of(
                "--shard=0/2",
                "--shard=3/2",
                "--shard=half",
                "--min-angle=0",
                "--min-similarity=2",
                "--max-attempts=17",
                "--concurrency=0")) {
            client.forget();
            assertThat(execute(wrong)).as(wrong).isEqualTo(ExitCode.USAGE.number());
            assertThat(client.err().lines()).singleElement().asString().startsWith("error: ");
        }
        assertThat(received).isEmpty();
    }
}
