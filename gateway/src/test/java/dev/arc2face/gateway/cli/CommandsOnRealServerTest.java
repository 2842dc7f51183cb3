package dev.arc2face.gateway.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.arc2face.gateway.triton.TritonResource;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.eclipse.microprofile.config.ConfigProvider;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The client, the gateway and Triton, all of them real. */
@QuarkusTest
@WithTestResource(TritonResource.class)
class CommandsOnRealServerTest {
    private static final String PHOTO = Path.of("..", "samples", "collins.png").toString();

    @TempDir
    private Path folder;

    private record Run(int code, List<String> out, List<String> err) {
        JsonObject json() {
            return JsonParser.parseString(out.get(0)).getAsJsonObject();
        }
    }

    private static Run run(String... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int code = new Arc2FaceCommand(
                        new Terminal(new PrintStream(out, true, UTF_8), new PrintStream(err, true, UTF_8), false))
                .execute(args);
        return new Run(
                code,
                out.toString(UTF_8).lines().toList(),
                err.toString(UTF_8).lines().toList());
    }

    private static String target() {
        return "--target=127.0.0.1:"
                + ConfigProvider.getConfig().getValue("quarkus.grpc.server.test-port", Integer.class);
    }

    @BeforeEach
    void untilTheServerHasReadItsModels() {
        await().atMost(Duration.ofMinutes(2)).until(() -> run("info", target()).code() == ExitCode.OK.number());
    }

    @Test
    void aPhotoBecomesPortraitsAndAContactSheet() throws IOException {
        Path sheet = folder.resolve("sheet.png");
        Run run = run(
                "generate",
                PHOTO,
                target(),
                "-n",
                "2",
                "--steps",
                "4",
                "--seed",
                "7",
                "--out",
                folder.toString(),
                "--contact-sheet",
                sheet.toString());
        assertThat(run.err()).last().asString().startsWith("2 portraits in ");
        assertThat(run.out()).hasSize(3);
        assertThat(ImageIO.read(folder.resolve("collins-7.png").toFile()).getWidth())
                .isEqualTo(128);
        assertThat(ImageIO.read(folder.resolve("collins-8.png").toFile()).getWidth())
                .isEqualTo(128);
        assertThat(ImageIO.read(sheet.toFile()).getWidth())
                .isEqualTo(ContactSheet.GAP + 3 * (ContactSheet.TILE + ContactSheet.GAP));
        assertThat(run.code()).isZero();
    }

    @Test
    void anEmbeddingThatWasKeptGivesThePicturesOfItsPhoto() throws IOException {
        Path embedding = folder.resolve("collins.json");
        assertThat(run("embed", PHOTO, target(), "--out", embedding.toString()).code())
                .isZero();
        Path ofPhoto = folder.resolve("photo");
        Path ofEmbedding = folder.resolve("embedding");
        for (List<String> input : List.of(
                List.of(PHOTO, "--out", ofPhoto.toString()),
                List.of("--embedding", embedding.toString(), "--out", ofEmbedding.toString()))) {
            Run run = run(Stream.concat(Stream.of("generate", target(), "--steps", "3", "--seed", "1"), input.stream())
                    .toArray(String[]::new));
            assertThat(run.code()).isZero();
        }
        assertThat(ofEmbedding.resolve("collins-1.png")).hasSameBinaryContentAs(ofPhoto.resolve("collins-1.png"));
        double similarity = run("compare", PHOTO, embedding.toString(), target(), "--json")
                .json()
                .get("similarity")
                .getAsDouble();
        assertThat(similarity).isGreaterThan(0.999);
    }

    @Test
    void onePersonOfSeveralSourcesIsMixedWithAnotherUntilItIsSimilar() throws IOException {
        Path embedding = folder.resolve("collins.json");
        Run embedded = run("embed", PHOTO, PHOTO, target(), "--out", embedding.toString());
        assertThat(embedded.out().get(0)).startsWith("the mean of 2: 256 values of ");
        Path sheet = folder.resolve("sheet.png");
        Run run = run(
                "generate",
                PHOTO,
                embedding.toString(),
                target(),
                "--mix",
                embedding.toString(),
                "--t",
                "0,1",
                "--steps",
                "2",
                "--seed",
                "7",
                "--min-similarity",
                "1",
                "--max-attempts",
                "2",
                "--out",
                folder.toString(),
                "--contact-sheet",
                sheet.toString());
        assertThat(run.err()).anyMatch(line -> line.equals("between the mean of 2 and the embedding"));
        assertThat(run.err()).last().asString().endsWith(", 2 drawn again");
        assertThat(run.out()).filteredOn(line -> line.endsWith("the best of 2")).hasSize(2);
        assertThat(ImageIO.read(sheet.toFile()).getWidth())
                .isEqualTo(ContactSheet.GAP + 3 * (ContactSheet.TILE + ContactSheet.GAP));
        assertThat(run.code()).isZero();

        Run nobody = run("embed", PHOTO, Path.of("pom.xml").toString(), target());
        assertThat(nobody.code()).isEqualTo(ExitCode.BAD_INPUT.number());
        assertThat(nobody.err())
                .singleElement()
                .asString()
                .contains("[UNSUPPORTED_IMAGE_FORMAT]", "at identity.average.sources[1].photo");
    }

    @Test
    void theFacesOfAPhotoAreListedAndDrawn() throws IOException {
        Path drawing = folder.resolve("faces.png");
        Run run = run("detect", PHOTO, target(), "--draw", drawing.toString());
        assertThat(run.out().get(0)).isEqualTo("1 face in 512x512 pixels");
        assertThat(run.out().get(1)).startsWith("#0  score ");
        assertThat(ImageIO.read(drawing.toFile()).getWidth()).isEqualTo(512);
    }

    @Test
    void infoNamesWhatIsServed() {
        assertThat(run("info", target()).out())
                .anyMatch(line -> line.startsWith("profile     mini, portraits of 128x128 pixels"))
                .anyMatch(line ->
                        line.matches("variant     base: dpmpp_2m, \\d+ steps, guidance \\d\\.\\d+ \\(default\\)"))
                .anyMatch(line -> line.startsWith("model       unet 1, batch 16"));
        assertThat(run("info", target(), "--json").json().get("profile").getAsString())
                .isEqualTo("mini");
    }

    @Test
    void whatTheServerRefusesIsOneSentenceAndBadInput() throws IOException {
        Path noPhoto = Files.writeString(folder.resolve("text.png"), "this is no picture");
        Run run = run("detect", noPhoto.toString(), target());
        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT.number());
        assertThat(run.err()).singleElement().asString().startsWith("error: ").contains("[UNSUPPORTED_IMAGE_FORMAT]");
        run = run("generate", PHOTO, target(), "--face-index", "9", "--out", folder.toString());
        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT.number());
        assertThat(run.err()).singleElement().asString().contains("[FACE_INDEX_OUT_OF_RANGE]", "`detect PHOTO`");
        run = run("generate", PHOTO, target(), "--scheduler", "magic", "--out", folder.toString());
        assertThat(run.err()).singleElement().asString().contains("[UNKNOWN_SCHEDULER]");
        run = run("generate", PHOTO, target(), "--variant", "lcm", "--out", folder.toString());
        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT.number());
        assertThat(run.err()).singleElement().asString().contains("[UNKNOWN_VARIANT]", "served are base");
        run = run("generate", PHOTO, target(), "-n", "17", "--out", folder.toString());
        assertThat(run.err()).singleElement().asString().contains("num_images");
    }
}
