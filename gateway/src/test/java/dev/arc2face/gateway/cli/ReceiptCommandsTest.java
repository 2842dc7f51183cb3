package dev.arc2face.gateway.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.arc2face.gateway.receipt.CanonicalReceipt;
import dev.arc2face.v1.Completed;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.IdentityBinding;
import dev.arc2face.v1.IdentityKind;
import dev.arc2face.v1.PortraitServiceGrpc.PortraitServiceImplBase;
import dev.arc2face.v1.Receipt;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.RandomAccessFile;
import java.net.InetAddress;
import java.net.InetSocketAddress;
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

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private Completed.Builder completed = Completed.newBuilder();
    private Server server;
    private Path photo;

    @BeforeEach
    void start() throws IOException {
        server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .addService(new PortraitServiceImplBase() {
                    @Override
                    public void generate(GenerateRequest request, StreamObserver<GenerateResponse> stream) {
                        stream.onNext(GenerateResponse.newBuilder()
                                .setCompleted(completed)
                                .build());
                        stream.onCompleted();
                    }
                })
                .build()
                .start();
        photo = Files.writeString(folder.resolve("a photo.png"), "of whatever kind");
    }

    @AfterEach
    void stop() {
        server.shutdownNow();
    }

    private int execute(String... args) {
        Terminal terminal = new Terminal(new PrintStream(out, true, UTF_8), new PrintStream(err, true, UTF_8), false);
        return new Arc2FaceCommand(terminal).execute(args);
    }

    private String target() {
        return "--target=127.0.0.1:" + server.getPort();
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

        assertThat(execute("replay", receipt, photo.toString(), target())).isZero(); // of no pictures, all are the same
        assertThat(out.toString(UTF_8).lines())
                .hasSize(3)
                .noneMatch(line -> line.startsWith("yes"))
                .allMatch(line -> line.codePoints().noneMatch(ReceiptCommandsTest::isControl));
        out.reset();
        execute("replay", receipt, photo.toString(), target(), "--json");
        assertThat(out.toString(UTF_8).strip().codePoints()).noneMatch(ReceiptCommandsTest::isControl);
    }

    @Test
    void whatIsPrintedOfAFailureDoesNothingToATerminal() {
        execute("replay", file(receipt(FORGERY)), photo.toString(), target());
        execute("replay", file(receipt(FORGERY)), photo.toString(), photo.toString(), target());
        assertThat(err.toString(UTF_8).lines())
                .hasSize(2)
                .allMatch(line -> line.startsWith("error: "))
                .allMatch(line -> line.codePoints().noneMatch(ReceiptCommandsTest::isControl));
    }

    private static boolean isControl(int codePoint) {
        return Character.getType(codePoint) == Character.CONTROL || Character.getType(codePoint) == Character.FORMAT;
    }

    @Test
    void aServerWithoutReceiptsIsSaidToHaveNone() {
        assertThat(execute("replay", file(receipt("photo")), photo.toString(), target()))
                .isEqualTo(ExitCode.OTHER.number());
        assertThat(err.toString(UTF_8))
                .isEqualTo("error: the server gives no receipts; it is older than this client\n");
    }

    @Test
    void aFileThatGoesToNoServerIsNotRefusedInItsName() throws IOException {
        String receipt = file(receipt("photo"));
        Path large = folder.resolve("large.png");
        try (RandomAccessFile file = new RandomAccessFile(large.toFile(), "rw")) {
            file.setLength(Inputs.MAX_PHOTO_BYTES + 1);
            assertThat(execute("verify", large.toString(), receipt)).isEqualTo(ExitCode.MISMATCH.number());
            assertThat(out.toString(UTF_8)).contains("none of the receipt's pictures");

            file.setLength(Inputs.MAX_FILE_BYTES + 1);
            assertThat(execute("verify", large.toString(), receipt)).isEqualTo(ExitCode.BAD_INPUT.number());
        }
        assertThat(err.toString(UTF_8)).contains(large.toString()).doesNotContain("server");
    }

    @Test
    void aCropThatIsNoPictureIsNamed() {
        assertThat(execute("replay", file(receipt("aligned_face")), photo.toString(), target()))
                .isEqualTo(ExitCode.BAD_INPUT.number());
        assertThat(err.toString(UTF_8)).startsWith("error: " + photo + ": ");
    }
}
