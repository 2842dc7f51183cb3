package dev.arc2face.gateway.triton;

import dev.arc2face.inference.ModelConfig;
import dev.arc2face.inference.ModelMetadataResponse;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** The mini profile as a Triton describes it ({@code fuzz/record.py}), for whoever calls no model. */
public final class RecordedModels {
    private static final List<String> NAMES =
            List.of(Contract.FACE_DETECTOR, Contract.ARCFACE, Contract.ENCODER, Contract.UNET, Contract.VAE_DECODER);

    private static final Replicas NOBODY =
            new Replicas(TestConfig.triton("nobody:0"), new AttemptMeters(new SimpleMeterRegistry()), System::nanoTime);

    private RecordedModels() {}

    /** The models, on no server. */
    public static ServedModels get() {
        return served(Contract.check(descriptions()));
    }

    static Map<String, Description> descriptions() {
        Map<String, Description> descriptions = new HashMap<>();
        for (String name : NAMES) {
            try (InputStream recorded = Objects.requireNonNull(
                    RecordedModels.class.getResourceAsStream("/fuzz/models/" + name), "no fuzz/models/" + name)) {
                descriptions.putAll(read(recorded.readAllBytes()));
            } catch (IOException broken) {
                throw new UncheckedIOException(broken);
            }
        }
        return descriptions;
    }

    /** Metadata and configuration of each model, one after the other, each with its length before it. */
    static Map<String, Description> read(byte[] recorded) throws IOException {
        Map<String, Description> descriptions = new HashMap<>();
        ByteArrayInputStream messages = new ByteArrayInputStream(recorded);
        while (messages.available() > 0) {
            ModelMetadataResponse metadata = ModelMetadataResponse.parseDelimitedFrom(messages);
            ModelConfig config = ModelConfig.parseDelimitedFrom(messages);
            if (config != null) { // not the end between the two
                descriptions.put(metadata.getName(), new Description(metadata, config));
            }
        }
        return descriptions;
    }

    static ServedModels served(Contract.Checked checked) {
        return new ServedModels(
                new Model(checked.signature(Contract.FACE_DETECTOR), NOBODY),
                new Model(checked.signature(Contract.ARCFACE), NOBODY),
                new Model(checked.signature(Contract.ENCODER), NOBODY),
                new Model(checked.signature(Contract.UNET), NOBODY),
                model(checked, Contract.UNET_GUIDED),
                model(checked, Contract.UNET_LCM),
                new Model(checked.signature(Contract.VAE_DECODER), NOBODY),
                "triton",
                "0",
                checked.sizes());
    }

    private static Optional<Model> model(Contract.Checked checked, String name) {
        return checked.optionalSignature(name).map(signature -> new Model(signature, NOBODY));
    }
}
