package dev.arc2face.gateway.cli;

import static dev.arc2face.gateway.Waiting.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.ByteString;
import com.google.protobuf.Duration;
import dev.arc2face.v1.Accepted;
import dev.arc2face.v1.Completed;
import dev.arc2face.v1.Face;
import dev.arc2face.v1.FaceChoice;
import dev.arc2face.v1.FaceReport;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.IdentityScore;
import dev.arc2face.v1.IdentitySource;
import dev.arc2face.v1.ImageFormat;
import dev.arc2face.v1.PortraitImage;
import dev.arc2face.v1.PortraitServiceGrpc.PortraitServiceImplBase;
import dev.arc2face.v1.Preview;
import dev.arc2face.v1.SourceReport;
import dev.arc2face.v1.StepProgress;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.function.BiConsumer;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The client against a server that says what each test wants; the real one is met in the integration test. */
class Arc2FaceCommandTest {
    @TempDir
    private Path folder;

    private final CompletableFuture<GenerateRequest> received = new CompletableFuture<>();
    private BiConsumer<GenerateRequest, ServerCallStreamObserver<GenerateResponse>> answer = (request, stream) -> {};
    private Client client;
    private Path photo;

    @BeforeEach
    void start() throws IOException {
        client = new Client(new PortraitServiceImplBase() {
            @Override
            public void generate(GenerateRequest request, StreamObserver<GenerateResponse> stream) {
                received.complete(request);
                answer.accept(request, (ServerCallStreamObserver<GenerateResponse>) stream);
            }
        });
        photo = folder.resolve("a face.png");
        ImageIO.write(new BufferedImage(64, 48, BufferedImage.TYPE_INT_RGB), "png", photo.toFile());
    }

    @AfterEach
    void stop() {
        client.close();
    }

    private static GenerateResponse.Builder event(long sequence) {
        return GenerateResponse.newBuilder().setSequence(sequence);
    }

    private void aWholeGeneration(GenerateRequest request, StreamObserver<GenerateResponse> stream) {
        ByteString picture = ByteString.copyFrom(bytes(photo));
        stream.onNext(
                event(1).setAccepted(Accepted.newBuilder().setRequestId("r").addSeeds(7))
                        .build());
        stream.onNext(event(2).setFaceReport(FaceReport.newBuilder()
                        .setPhotoWidth(64)
                        .setPhotoHeight(48)
                        .addFaces(Face.newBuilder()
                                .setLeft(10)
                                .setTop(5)
                                .setRight(40)
                                .setBottom(45)
                                .setScore(0.75f))
                        .setUsedIndex(0)
                        .setChoice(FaceChoice.FACE_CHOICE_LARGEST))
                .build());
        stream.onNext(event(3).setStepProgress(StepProgress.newBuilder()
                        .setStep(1)
                        .setTotalSteps(2)
                        .setExpectedRemaining(Duration.newBuilder().setSeconds(1)))
                .build());
        stream.onNext(
                event(4).setPreview(Preview.newBuilder().setStep(1).setSeed(7).setJpeg(picture))
                        .build());
        stream.onNext(event(5).setImage(PortraitImage.newBuilder()
                        .setSeed(-1)
                        .setData(picture)
                        .setFormat(ImageFormat.IMAGE_FORMAT_PNG)
                        .setIdentityScore(IdentityScore.newBuilder().setSimilarity(0.5f)))
                .build());
        stream.onNext(event(6).setCompleted(
                        Completed.newBuilder().setElapsed(Duration.newBuilder().setSeconds(2)))
                .build());
        stream.onCompleted();
    }

    private static byte[] bytes(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aGenerationBecomesFilesAndAContactSheet() {
        answer = this::aWholeGeneration;
        Path pictures = folder.resolve("new/folder");
        Path sheet = folder.resolve("sheet.png");
        int code = client.execute(
                "generate",
                photo.toString(),
                client.target(),
                "--out",
                pictures.toString(),
                "--contact-sheet",
                sheet.toString());

        assertThat(client.err().lines())
                .containsExactly(
                        "using face 0 of 1 (30x40 pixels, score 0.750), the largest",
                        "[############------------] step 1/2, 1.0 s left",
                        "1 portrait in 2.0 s, mean similarity 0.500");
        Path portrait = pictures.resolve("a face-4294967295.png");
        assertThat(client.out().lines())
                .containsExactly(portrait + "  seed 4294967295  similarity 0.500", sheet.toString());
        assertThat(portrait).hasSameBinaryContentAs(photo);
        assertThat(pictures.resolve("a face-7-step001.jpg")).exists();
        assertThat(sheet).isNotEmptyFile();
        assertThat(code).isZero();
    }

    @Test
    void everyOptionReachesTheServerAndNothingElseIsSet() throws Exception {
        answer = this::aWholeGeneration;
        client.execute(
                "generate",
                photo.toString(),
                client.target(),
                "-o",
                folder.toString(),
                "-n",
                "3",
                "--variant",
                "lcm",
                "--steps",
                "12",
                "--guidance",
                "1.5",
                "--guidance-until",
                "0.6",
                "--scheduler",
                "ddim",
                "--seed",
                "4294967295",
                "--preview-every",
                "4",
                "--face-index",
                "2",
                "--format",
                "jpeg",
                "--jpeg-quality",
                "80",
                "--request-id",
                "mine");
        GenerateRequest request = received.get();
        assertThat(request.toBuilder().clearIdentity().build())
                .isEqualTo(GenerateRequest.newBuilder()
                        .setNumImages(3)
                        .setSteps(12)
                        .setVariant("lcm")
                        .setGuidanceScale(1.5f)
                        .setGuidanceUntil(0.6f)
                        .setScheduler("ddim")
                        .setSeed(-1)
                        .setPreviewEvery(4)
                        .setOutputFormat(ImageFormat.IMAGE_FORMAT_JPEG)
                        .setJpegQuality(80)
                        .setRequestId("mine")
                        .build());
        assertThat(request.getIdentity().getFaceIndex()).isEqualTo(2);
        assertThat(request.getIdentity().getPhoto().toByteArray()).isEqualTo(bytes(photo));
    }

    @Test
    void withoutOptionsTheServerDecides() throws Exception {
        answer = this::aWholeGeneration;
        client.execute("generate", photo.toString(), client.target(), "-o", folder.toString());
        assertThat(received.get().toBuilder().clearIdentity().build())
                .isEqualTo(GenerateRequest.newBuilder().setPreviewEvery(0).build());
    }

    @Test
    void severalPhotosAreOnePersonAndAMixGoesToAnother() throws Exception {
        answer = this::aWholeGeneration;
        Path other =
                Files.writeString(folder.resolve("other.json"), "{\"values\": [1], \"recogniserId\": \"mobileface\"}");
        client.execute(
                "generate",
                photo.toString(),
                other.toString(),
                photo.toString(),
                client.target(),
                "-o",
                folder.toString(),
                "--mix",
                other.toString(),
                "--t",
                "0,0.25,1",
                "--min-similarity",
                "0.5",
                "--max-attempts",
                "7");
        GenerateRequest request = received.get();
        assertThat(request.getNumImages()).isEqualTo(3);
        assertThat(request.getMinSimilarity()).isEqualTo(0.5f);
        assertThat(request.getMaxAttempts()).isEqualTo(7);
        assertThat(request.getIdentity().getInterpolation().getTList()).containsExactly(0f, 0.25f, 1f);
        assertThat(request.getIdentity().getInterpolation().getSecond().hasEmbedding())
                .isTrue();
        assertThat(request.getIdentity()
                        .getInterpolation()
                        .getFirst()
                        .getAverage()
                        .getSourcesList())
                .extracting(IdentitySource::getSourceCase)
                .containsExactly(
                        IdentitySource.SourceCase.PHOTO,
                        IdentitySource.SourceCase.EMBEDDING,
                        IdentitySource.SourceCase.PHOTO);
    }

    @Test
    void aMixIsHalfWayUnlessItIsSaid() throws Exception {
        answer = this::aWholeGeneration;
        client.execute(
                "generate", photo.toString(), client.target(), "-o", folder.toString(), "--mix", photo.toString());
        assertThat(received.get().getIdentity().getInterpolation().getTList()).containsExactly(0.5f);
        assertThat(received.get().hasNumImages()).isFalse();
    }

    @Test
    void whoWasLeftOutAndWhatFellShortIsSaid() {
        answer = (request, stream) -> {
            ByteString picture = ByteString.copyFrom(bytes(photo));
            FaceReport one = FaceReport.newBuilder()
                    .setUsedIndex(3)
                    .addFaces(Face.newBuilder().setIndex(3).setRight(30).setBottom(40))
                    .setChoice(FaceChoice.FACE_CHOICE_LARGEST)
                    .build();
            SourceReport.Builder used =
                    SourceReport.newBuilder().setFaceReport(one).setUsed(true).setSimilarity(0.9f);
            stream.onNext(event(1).setAccepted(Accepted.getDefaultInstance()).build());
            stream.onNext(event(2).setFaceReport(FaceReport.newBuilder()
                            .setChoice(FaceChoice.FACE_CHOICE_AVERAGE)
                            .addSources(used)
                            .addSources(used.clone().setUsed(false).setSimilarity(0.125f))
                            .addSources(used))
                    .build());
            stream.onNext(event(3).setImage(PortraitImage.newBuilder()
                            .setImageIndex(1)
                            .setSeed(1)
                            .setAttempts(3)
                            .setData(picture))
                    .build());
            stream.onNext(event(4).setImage(PortraitImage.newBuilder()
                            .setSeed(2)
                            .setAttempts(4)
                            .setBelowMinSimilarity(true)
                            .setData(picture))
                    .build());
            stream.onNext(
                    event(5).setCompleted(Completed.newBuilder().setRejected(5)).build());
            stream.onCompleted();
        };
        Path second = folder.resolve("second.png");
        Path sheet = folder.resolve("sheet.png");
        try {
            Files.copy(photo, second);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        int code = client.execute(
                "generate",
                photo.toString(),
                second.toString(),
                photo.toString(),
                client.target(),
                "-o",
                folder.toString(),
                "--contact-sheet",
                sheet.toString());
        assertThat(client.err().lines())
                .containsExactly(
                        "using the mean of 2 of 3; left out " + second + " (similarity 0.125)",
                        "2 portraits in 0.0 s, 5 drawn again");
        assertThat(client.out().lines())
                .containsExactly(
                        folder.resolve("a face-1.png") + "  seed 1  no face found  attempt 3",
                        folder.resolve("a face-2.png") + "  seed 2  no face found  below what was asked, the best of 4",
                        sheet.toString());
        assertThat(code).isZero();
    }

    @Test
    void anEmbeddingFileStandsInForAPhoto() throws Exception {
        answer = this::aWholeGeneration;
        Path embedding = Files.writeString(
                folder.resolve("e.json"), "{\"values\": [0.5, -1], \"recogniserId\": \"mobileface\"}");
        client.execute("generate", "--embedding", embedding.toString(), client.target(), "-o", folder.toString());
        assertThat(received.get().getIdentity().getEmbedding().getValuesList()).containsExactly(0.5f, -1f);
        assertThat(folder.resolve("e-4294967295.png")).exists();
    }

    @Test
    void jsonIsOneEventALineWithFileNamesForPictures() {
        answer = this::aWholeGeneration;
        int code = client.execute("generate", photo.toString(), client.target(), "-o", folder.toString(), "--json");
        List<JsonObject> events = client.out()
                .lines()
                .map(line -> JsonParser.parseString(line).getAsJsonObject())
                .toList();
        assertThat(events)
                .extracting(event -> event.get("sequence").getAsLong())
                .containsExactly(1L, 2L, 3L, 4L, 5L, 6L);
        JsonObject image = events.get(4).getAsJsonObject("image");
        assertThat(image.get("file").getAsString())
                .isEqualTo(folder.resolve("a face-4294967295.png").toString());
        assertThat(image.get("imageIndex").getAsInt()).isZero();
        assertThat(image.has("data")).isFalse();
        assertThat(events.get(3).getAsJsonObject("preview").get("file").getAsString())
                .endsWith("a face-7-step001.jpg");
        assertThat(events.get(3).getAsJsonObject("preview").has("jpeg")).isFalse();
        assertThat(client.err()).isEmpty();
        assertThat(code).isZero();
    }

    @Test
    void interruptingTheCommandCancelsTheCall() throws Exception {
        CountDownLatch cancelled = new CountDownLatch(1);
        answer = (request, stream) -> stream.setOnCancelHandler(cancelled::countDown);
        CompletableFuture<Integer> code = new CompletableFuture<>();
        Thread command = new Thread(() ->
                code.complete(client.execute("generate", photo.toString(), client.target(), "-o", folder.toString())));
        command.start();
        received.get();
        command.interrupt();
        await().untilAsserted(() -> assertThat(cancelled.getCount()).isZero());
        assertThat(code.get()).isEqualTo(ExitCode.INTERRUPTED.number());
        assertThat(client.err()).isEqualTo("error: interrupted; the call is cancelled\n");
    }

    @Test
    void aServerThatIsSilentIsGivenUpAtTheDeadline() {
        int code = client.execute("generate", photo.toString(), client.target(), "--deadline", "100ms");
        assertThat(code).isEqualTo(ExitCode.DEADLINE.number());
    }

    @Test
    void aStreamThatEndsEarlyIsAnError() {
        answer = (request, stream) -> stream.onCompleted();
        assertThat(client.execute("generate", photo.toString(), client.target()))
                .isEqualTo(ExitCode.OTHER.number());
        assertThat(client.err()).contains("ended the stream");
    }

    @Test
    void anAbsentServerIsSaidToBeAbsent() throws IOException {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        assertThat(client.execute("info", "--target", "127.0.0.1:" + port)).isEqualTo(ExitCode.UNAVAILABLE.number());
        assertThat(client.err()).startsWith("error: no server answers at 127.0.0.1:" + port);
    }

    @Test
    void badFilesAreBadInputAndNothingIsSent() throws IOException {
        Path text = Files.writeString(folder.resolve("text.json"), "not an embedding");
        Path huge = folder.resolve("huge.png");
        try (var file = new java.io.RandomAccessFile(huge.toFile(), "rw")) {
            file.setLength(Inputs.MAX_PHOTO_BYTES + 1);
        }
        for (String input : List.of("missing.png", folder.toString(), huge.toString())) {
            assertThat(client.execute("generate", input, client.target()))
                    .as(input)
                    .isEqualTo(ExitCode.BAD_INPUT.number());
        }
        assertThat(client.execute("generate", "--embedding", text.toString(), client.target()))
                .isEqualTo(ExitCode.BAD_INPUT.number());
        assertThat(client.err().lines()).hasSize(4).allMatch(line -> line.startsWith("error: "));
        assertThat(received).isNotDone();
    }

    @Test
    void aWrongCommandLineIsAUsageErrorInOneLine() {
        List<List<String>> wrong = List.of(
                List.of(),
                List.of("paint"),
                List.of("generate"),
                List.of("generate", "a.png", "--embedding", "b.json"),
                List.of("generate", "a.png", "-n", "-1"),
                List.of("generate", photo.toString(), "--t", "0.5"),
                List.of("generate", photo.toString(), "--t", "much", "--mix", photo.toString()),
                List.of("generate", photo.toString(), photo.toString(), "--face-index", "0"),
                List.of("generate", "a.png", "--format", "gif"),
                List.of("generate", "a.png", "--deadline", "soon"),
                List.of("compare", "a.png"),
                List.of("info", "--target", "a b"));
        for (List<String> args : wrong) {
            client.forget();
            assertThat(client.execute(args.toArray(String[]::new)))
                    .as("%s", args)
                    .isEqualTo(ExitCode.USAGE.number());
            assertThat(client.err().lines()).singleElement().asString().startsWith("error: ");
        }
    }

    @Test
    void helpOfEveryCommandListsTheExitCodes() throws ExecutionException {
        for (String command : List.of("generate", "dataset", "detect", "embed", "compare", "info")) {
            client.forget();
            assertThat(client.execute(command, "--help")).isZero();
            assertThat(client.out()).contains("--target", "--json", "--deadline", "130");
        }
    }
}
