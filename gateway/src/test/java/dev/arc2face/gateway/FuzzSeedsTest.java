package dev.arc2face.gateway;

import dev.arc2face.gateway.diffusion.SettingsFuzz;
import dev.arc2face.gateway.grpc.RequestFuzz;
import dev.arc2face.gateway.image.PhotoFuzz;
import dev.arc2face.gateway.provenance.PictureMarkFuzz;
import dev.arc2face.gateway.triton.ModelsFuzz;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** What {@code make fuzz} begins with, and whatever it found. */
class FuzzSeedsTest {
    private static final Path RESOURCES = Path.of("src", "test", "resources");

    @TestFactory
    Stream<DynamicTest> photos() throws IOException {
        return seeds("photos", PhotoFuzz::fuzzerTestOneInput);
    }

    @TestFactory
    Stream<DynamicTest> marks() throws IOException {
        return seeds("fuzz/marks", PictureMarkFuzz::fuzzerTestOneInput);
    }

    @TestFactory
    Stream<DynamicTest> requests() throws IOException {
        return seeds("fuzz/requests", RequestFuzz::fuzzerTestOneInput);
    }

    @TestFactory
    Stream<DynamicTest> models() throws IOException {
        return seeds("fuzz/models", ModelsFuzz::fuzzerTestOneInput);
    }

    @TestFactory
    Stream<DynamicTest> settings() throws IOException {
        return seeds("fuzz/settings", SettingsFuzz::fuzzerTestOneInput);
    }

    private static Stream<DynamicTest> seeds(String folder, Consumer<byte[]> target) throws IOException {
        try (Stream<Path> files = Files.list(RESOURCES.resolve(folder))) {
            List<Path> seeds = files.sorted().toList();
            return seeds.stream()
                    .map(seed -> DynamicTest.dynamicTest(
                            seed.getFileName().toString(), () -> target.accept(Files.readAllBytes(seed))));
        }
    }
}
