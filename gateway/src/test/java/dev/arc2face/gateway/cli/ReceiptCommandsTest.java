package dev.arc2face.gateway.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.arc2face.gateway.receipt.CanonicalReceipt;
import dev.arc2face.v1.Completed;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.IdentityBinding;
import dev.arc2face.v1.IdentityKind;
import dev.arc2face.v1.PortraitServiceGrpc.PortraitServiceImplBase;
import dev.arc2face.v1.Receipt;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands that read receipts of strangers, against a server that says what each test wants. */
class ReceiptCommandsTest {
    /** Goes to the beginning of the line, wipes it out, and writes something else; the last of it in one code point. */
    private static final String FORGERY = "\u001b[2K\ryes  the same bytes\n\u009b8m\u202e";

    @TempDir
    private Path folder;

    private Completed.Builder completed = Completed.newBuilder();
    private Client client;
    private Path photo;

    @BeforeEach
    void start() throws IOException {
        client = new Client(new PortraitServiceImplBase() {
            @Override
            public void generate(GenerateRequest request, StreamObserver<GenerateResponse> stream) {
                stream.onNext(
                        GenerateResponse.newBuilder().setCompleted(completed).build());
                stream.onCompleted();
            }
        });
        photo = Files.writeString(folder.resolve("a photo.png"), "of whatever kind");
    }

    @AfterEach
    void stop() {
        client.close();
    }

    private static Receipt.Builder receipt(String kind) {
        return Receipt.newBuilder()
                .setIdentity(IdentityBinding.newBuilder()
                        .setKind(IdentityKind.newBuilder().setKind(kind)));
    }

    private String file(Receipt.Builder receipt) {
        Path file = folder.resolve("receipt.json");
        ReceiptFile.write(
                receipt.setReceiptId(CanonicalReceipt.id(receipt.build())).build(), file);
        return file.toString();
    }

    @Test
    void whatIsPrintedOfAReceiptDoesNothingToATerminal() {
        completed.setReceipt(receipt("photo").setProfile(FORGERY));
        String receipt = file(receipt("photo").setProfile("mini").setGatewayVersion(FORGERY));

        assertThat(client.execute("replay", receipt, photo.toString(), client.target()))
                .isZero(); // of no pictures, all are the same
        assertThat(client.out().lines())
                .hasSize(3)
                .noneMatch(line -> line.startsWith("yes"))
                .allMatch(line -> line.codePoints().noneMatch(ReceiptCommandsTest::isControl));
        client.forget();
        client.execute("replay", receipt, photo.toString(), client.target(), "--json");
        assertThat(client.out().strip().codePoints()).noneMatch(ReceiptCommandsTest::isControl);
    }

    @Test
    void whatIsPrintedOfAFailureDoesNothingToATerminal() {
        client.execute("replay", file(receipt(FORGERY)), photo.toString(), client.target());
        client.execute("replay", file(receipt(FORGERY)), photo.toString(), photo.toString(), client.target());
        assertThat(client.err().lines())
                .hasSize(2)
                .allMatch(line -> line.startsWith("error: "))
                .allMatch(line -> line.codePoints().noneMatch(ReceiptCommandsTest::isControl));
    }

    private static boolean isControl(int codePoint) {
        return Character.getType(codePoint) == Character.CONTROL || Character.getType(codePoint) == Character.FORMAT;
    }

    @Test
    void aServerWithoutReceiptsIsSaidToHaveNone() {
        assertThat(client.execute("replay", file(receipt("photo")), photo.toString(), client.target()))
                .isEqualTo(ExitCode.OTHER.number());
        assertThat(client.err()).isEqualTo("error: the server gives no receipts; it is older than this client\n");
    }

    @Test
    void aFileThatGoesToNoServerIsNotRefusedInItsName() throws IOException {
        String receipt = file(receipt("photo"));
        Path large = folder.resolve("large.png");
        try (RandomAccessFile file = new RandomAccessFile(large.toFile(), "rw")) {
            file.setLength(Inputs.MAX_PHOTO_BYTES + 1);
            assertThat(client.execute("verify", large.toString(), receipt)).isEqualTo(ExitCode.MISMATCH.number());
            assertThat(client.out()).contains("none of the receipt's pictures");

            file.setLength(Inputs.MAX_FILE_BYTES + 1);
            assertThat(client.execute("verify", large.toString(), receipt)).isEqualTo(ExitCode.BAD_INPUT.number());
        }
        assertThat(client.err()).contains(large.toString()).doesNotContain("server");
    }

    @Test
    void aCropThatIsNoPictureIsNamed() {
        assertThat(client.execute("replay", file(receipt("aligned_face")), photo.toString(), client.target()))
                .isEqualTo(ExitCode.BAD_INPUT.number());
        assertThat(client.err()).startsWith("error: " + photo + ": ");
    }
}
