package dev.arc2face.gateway.cli;

import static dev.arc2face.gateway.Waiting.await;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.arc2face.gateway.provenance.PictureMark;
import dev.arc2face.gateway.triton.TritonResource;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.awt.image.BufferedImage;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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
        assertThat(PictureMark.in(Files.readAllBytes(sheet)).digitalSourceType())
                .contains("http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia");
        assertThat(run.code()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"png", "jpeg", "webp"})
    void picturesOfAReceiptAreVerifiedAndMadeAgain(String format) throws IOException {
        Path receipt = generated(format);
        Path picture = folder.resolve("collins-5." + (format.equals("jpeg") ? "jpg" : format));
        Run verified = run("verify", picture.toString(), receipt.toString());
        assertThat(verified.out()).contains("yes  the receipt is whole", "yes  the file is that of picture 0, seed 5");
        assertThat(verified.code()).isZero();

        Run replayed = run("replay", receipt.toString(), PHOTO, target());
        assertThat(replayed.out())
                .containsExactly(
                        "picture 0, seed 5: the same bytes", "picture 1, seed 6: the same bytes", "the same bytes");
        assertThat(replayed.code()).isZero();

        byte[] changed = Files.readAllBytes(picture);
        changed[changed.length / 2] ^= 1;
        Files.write(picture, changed);
        verified = run("verify", picture.toString(), receipt.toString(), "--json");
        assertThat(verified.json().get("holds").getAsBoolean()).isFalse();
        assertThat(verified.code()).isEqualTo(ExitCode.MISMATCH.number());
    }

    @Test
    void anotherPhotoAndAChangedReceiptAreTold() throws IOException {
        Path receipt = generated("png");
        Path anew = folder.resolve("other.png");
        Drawing.writePng(Drawing.decode(Files.readAllBytes(Path.of(PHOTO))), anew); // the same pixels, other bytes
        Run replayed = run("replay", receipt.toString(), anew.toString(), target());
        assertThat(replayed.out())
                .contains("the photo, crop or embedding has other bytes than then")
                .last()
                .isEqualTo("the same bytes");

        BufferedImage photo = Drawing.decode(Files.readAllBytes(Path.of(PHOTO)));
        BufferedImage mirrored = new BufferedImage(photo.getWidth(), photo.getHeight(), BufferedImage.TYPE_INT_RGB);
        mirrored.createGraphics().drawImage(photo, photo.getWidth(), 0, -photo.getWidth(), photo.getHeight(), null);
        Drawing.writePng(mirrored, anew);
        Run another = run("replay", receipt.toString(), anew.toString(), target());
        assertThat(another.out())
                .contains("picture 0, seed 5: other pixels", "the photo, crop or embedding has other bytes than then")
                .last()
                .isEqualTo("NOT the same bytes");
        assertThat(another.code()).isEqualTo(ExitCode.MISMATCH.number());

        assertThat(run("replay", receipt.toString(), PHOTO, PHOTO, target()).err())
                .singleElement()
                .asString()
                .contains("the receipt is of photo: name so many files, not 2");
        Files.writeString(receipt, Files.readString(receipt).replace("\"steps\": 2", "\"steps\": 3"));
        Run changed = run("replay", receipt.toString(), PHOTO, target());
        assertThat(changed.code()).isEqualTo(ExitCode.MISMATCH.number());
        assertThat(changed.err()).singleElement().asString().contains("the receipt was changed");
        Run verified = run("verify", folder.resolve("collins-5.png").toString(), receipt.toString());
        assertThat(verified.out()).contains("NO   the receipt was changed: its id is not the hash of the rest");
        assertThat(verified.code()).isEqualTo(ExitCode.MISMATCH.number());
        assertThat(run("verify", PHOTO, PHOTO).code()).isEqualTo(ExitCode.BAD_INPUT.number());
    }

    @Test
    void aMixOfAnAverageIsMadeAgainFromItsFilesInOrder() throws IOException {
        Path embedding = folder.resolve("collins.json");
        run("embed", PHOTO, target(), "--out", embedding.toString());
        Run run = run(
                "generate",
                PHOTO,
                embedding.toString(),
                target(),
                "--mix",
                PHOTO,
                "--t",
                "0.5",
                "-n",
                "2",
                "--steps",
                "2",
                "--seed",
                "3",
                "--min-similarity",
                "0.9",
                "--max-attempts",
                "2",
                "--out",
                folder.toString());
        assertThat(run.code()).isZero();
        Run replayed = run(
                "replay",
                folder.resolve("collins-3-receipt.json").toString(),
                PHOTO,
                embedding.toString(),
                PHOTO,
                target(),
                "--json");
        assertThat(replayed.json().get("same").getAsBoolean()).isTrue();
        assertThat(replayed.json().getAsJsonArray("differences")).isEmpty();
    }

    private Path generated(String format) {
        Run run = run(
                "generate",
                PHOTO,
                target(),
                "-n",
                "2",
                "--steps",
                "2",
                "--seed",
                "5",
                "--format",
                format,
                "--out",
                folder.toString());
        assertThat(run.code()).isZero();
        return folder.resolve("collins-5-receipt.json");
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
        run = run("generate", PHOTO, target(), "--variant", "turbo", "--out", folder.toString());
        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT.number());
        assertThat(run.err()).singleElement().asString().contains("[UNKNOWN_VARIANT]", "served are base, lcm");
        run = run("generate", PHOTO, target(), "-n", "17", "--out", folder.toString());
        assertThat(run.err()).singleElement().asString().contains("num_images");
    }
}
