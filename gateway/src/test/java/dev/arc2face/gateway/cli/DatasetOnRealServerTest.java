package dev.arc2face.gateway.cli;

import static dev.arc2face.gateway.Waiting.await;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.ByteString;
import dev.arc2face.gateway.dataset.Python;
import dev.arc2face.gateway.image.PhotoDecoder;
import dev.arc2face.gateway.image.Pixels;
import dev.arc2face.gateway.triton.TritonResource;
import dev.arc2face.v1.AlignedFace;
import dev.arc2face.v1.CompareFacesRequest;
import dev.arc2face.v1.Embedding;
import dev.arc2face.v1.IdentitySource;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.eclipse.microprofile.config.ConfigProvider;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Data sets from the real gateway and Triton: three identities, two pictures each. */
@QuarkusTest
@WithTestResource(TritonResource.class)
class DatasetOnRealServerTest {
    private static final int IDENTITIES = 3;
    private static final int PICTURES = 2;
    private static final PhotoDecoder DECODER = new PhotoDecoder(1 << 20, 1 << 20);

    @TempDir
    private static Path shared;

    @TempDir
    private Path folder;

    private static Path prior;

    @BeforeEach
    void untilTheServerHasReadItsModels() {
        if (prior == null) {
            prior = Python.identityPrior(shared);
        }
        await().atMost(Duration.ofMinutes(2)).until(() -> execute("info", target()) == ExitCode.OK.number());
    }

    private static int execute(String... args) {
        PrintStream nowhere = new PrintStream(new ByteArrayOutputStream(), true, UTF_8);
        return new Arc2FaceCommand(new Terminal(nowhere, System.err, false)).execute(args);
    }

    private static String target() {
        return "--target=127.0.0.1:"
                + ConfigProvider.getConfig().getValue("quarkus.grpc.server.test-port", Integer.class);
    }

    private static String[] command(Path set, String... more) {
        List<String> args = new ArrayList<>(List.of(
                "dataset",
                target(),
                "--identities=" + IDENTITIES,
                "--per-identity=" + PICTURES,
                "--seed=11",
                "--steps=4",
                "--min-similarity=0.05",
                "--training=" + Python.heldOut(),
                "--prior=" + prior.toAbsolutePath(),
                "--out=" + set.toAbsolutePath()));
        args.addAll(List.of(more));
        return args.toArray(String[]::new);
    }

    private static List<JsonObject> manifest(Path set) throws IOException {
        return Files.readAllLines(set.resolve("manifest.jsonl")).stream()
                .map(line -> JsonParser.parseString(line).getAsJsonObject())
                .toList();
    }

    /** Every file's name and hash. */
    private static SortedMap<String, String> tree(Path set) throws IOException {
        SortedMap<String, String> tree = new TreeMap<>();
        try (Stream<Path> files = Files.walk(set)) {
            files.filter(Files::isRegularFile)
                    .forEach(file -> tree.put(set.relativize(file).toString(), sha256(file)));
        }
        return tree;
    }

    private static String sha256(Path file) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void theManifestIsWhatTheFilesAre() throws IOException {
        Path set = folder.resolve("set");
        assertThat(execute(command(set))).isZero();
        List<JsonObject> rows = manifest(set);
        assertThat(rows).hasSize(IDENTITIES * PICTURES);
        List<float[]> people = embeddings(set);
        for (JsonObject row : rows) {
            Path image = set.resolve(row.get("file").getAsString());
            Path aligned = set.resolve(row.get("aligned_file").getAsString());
            assertThat(row.get("sha256").getAsString()).isEqualTo(sha256(image));
            assertThat(row.get("aligned_sha256").getAsString()).isEqualTo(sha256(aligned));
            Pixels picture = DECODER.decode(Files.readAllBytes(image));
            assertThat(List.of(picture.width(), picture.height()))
                    .containsExactly(
                            row.get("width").getAsInt(), row.get("height").getAsInt());
            // The server embeds the crop that lies beside the picture: it must be the face that was scored.
            double similarity = similarity(
                    DECODER.decode(Files.readAllBytes(aligned)),
                    people.get(row.get("identity").getAsInt()),
                    row.get("recogniser_id").getAsString());
            assertThat(row.get("similarity").getAsDouble()).isCloseTo(similarity, within(1e-4));
        }
        try (Stream<Path> images = Files.walk(set.resolve("images"))) {
            assertThat(images.filter(Files::isRegularFile)
                            .map(file -> set.relativize(file).toString()))
                    .containsExactlyInAnyOrderElementsOf(rows.stream()
                            .map(row -> row.get("file").getAsString())
                            .toList());
        }
        assertParquetSaysTheSame(set, rows);
        assertThat(set.resolve("README.md"))
                .content()
                .contains(
                        "| identities | 3 |",
                        "| pictures | 6 |",
                        "DigiFace-1M",
                        "held against 200 training embeddings");
    }

    private static List<float[]> embeddings(Path set) {
        return Python.run(
                        "-c",
                        "import sys, numpy; [print(*row) for row in numpy.load(sys.argv[1])]",
                        set.resolve("identities.npy").toAbsolutePath().toString())
                .stream()
                .map(line -> {
                    double[] values = Arrays.stream(line.split(" "))
                            .mapToDouble(Double::parseDouble)
                            .toArray();
                    float[] row = new float[values.length];
                    for (int i = 0; i < row.length; i++) {
                        row[i] = (float) values[i];
                    }
                    return row;
                })
                .toList();
    }

    private static double similarity(Pixels crop, float[] person, String recogniser) {
        Embedding.Builder embedding = Embedding.newBuilder().setRecogniserId(recogniser);
        for (float value : person) {
            embedding.addValues(value);
        }
        CompareFacesRequest request = CompareFacesRequest.newBuilder()
                .setFirst(IdentitySource.newBuilder()
                        .setAlignedFace(AlignedFace.newBuilder().setRgb(ByteString.copyFrom(crop.rgb()))))
                .setSecond(IdentitySource.newBuilder().setEmbedding(embedding))
                .build();
        Connection connection = new Connection();
        connection.target = target().substring("--target=".length());
        return connection.call(server -> server.compareFaces(request)).getSimilarity();
    }

    private static void assertParquetSaysTheSame(Path set, List<JsonObject> rows) {
        List<String> read = Python.run(
                Path.of("src/test/resources/datasets/rows.py").toAbsolutePath().toString(),
                set.resolve("manifest.parquet").toAbsolutePath().toString());
        assertThat(read).hasSize(rows.size() + 1);
        for (int i = 0; i < rows.size(); i++) {
            JsonObject row = JsonParser.parseString(read.get(i + 1)).getAsJsonObject();
            assertThat(row.keySet()).containsExactlyElementsOf(rows.get(i).keySet());
            for (String column : row.keySet()) {
                assertThat(asFloats(row, column)).as(column).isEqualTo(asFloats(rows.get(i), column));
            }
        }
    }

    /** DuckDB prints a float as the double that it is. */
    private static String asFloats(JsonObject row, String column) {
        return switch (column) {
            case "similarity", "training_cosine" ->
                Float.toString(row.get(column).getAsFloat());
            case "landmarks" ->
                row.getAsJsonArray(column).asList().stream()
                        .map(value -> value.getAsFloat())
                        .toList()
                        .toString();
            default -> row.get(column).toString();
        };
    }

    @Test
    void aKilledRunGoesOnToTheSameBytes() throws IOException, InterruptedException {
        Path whole = folder.resolve("whole");
        Path killed = folder.resolve("killed");
        assertThat(execute(command(whole))).isZero();
        Process process = start(command(killed, "--concurrency=1"));
        await().atMost(Duration.ofMinutes(2)).until(() -> hasPart(killed) || !process.isAlive());
        assertThat(process.destroyForcibly().waitFor()).as("killed by SIGKILL").isEqualTo(128 + 9);
        assertThat(killed.resolve("manifest.jsonl")).doesNotExist();
        assertThat(execute(command(killed))).isZero();
        assertThat(tree(killed)).isEqualTo(tree(whole));
    }

    private static boolean hasPart(Path set) throws IOException {
        Path parts = set.resolve("parts");
        if (!Files.isDirectory(parts)) {
            return false;
        }
        try (Stream<Path> files = Files.list(parts)) {
            return files.anyMatch(file -> file.toString().endsWith(".jsonl"));
        }
    }

    private static Process start(String[] args) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
        command.addAll(List.of(args));
        return new ProcessBuilder(command).inheritIO().start();
    }

    @Test
    void shardsTogetherAreTheWhole() throws IOException {
        Path whole = folder.resolve("whole");
        Path together = folder.resolve("together");
        assertThat(execute(command(whole))).isZero();
        int rows = 0;
        for (String shard : List.of("1/2", "2/2")) {
            Path part = folder.resolve(shard.replace('/', '-'));
            assertThat(execute(command(part, "--shard=" + shard))).isZero();
            List<JsonObject> manifest = manifest(part);
            assertThat(manifest(whole)).containsAll(manifest);
            rows += manifest.size();
            copy(part, together);
        }
        assertThat(rows).isEqualTo(IDENTITIES * PICTURES);
        assertThat(execute(command(together))).isZero();
        assertThat(tree(together)).isEqualTo(tree(whole));
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> entries = Files.walk(from)) {
            for (Path entry : entries.toList()) {
                Path target = to.resolve(from.relativize(entry).toString());
                if (Files.isDirectory(entry)) {
                    Files.createDirectories(target);
                } else {
                    Files.copy(entry, target, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
                }
            }
        }
    }
}
