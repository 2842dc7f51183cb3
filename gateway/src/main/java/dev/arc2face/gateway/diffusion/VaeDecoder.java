package dev.arc2face.gateway.diffusion;

import static java.util.Objects.requireNonNull;

import dev.arc2face.gateway.image.Pixels;
import dev.arc2face.gateway.triton.Model;
import dev.arc2face.gateway.triton.Sizes;
import dev.arc2face.gateway.triton.Tensor;
import dev.arc2face.gateway.triton.Tensor.Floats;
import dev.arc2face.gateway.triton.TensorSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** From latents to pictures. */
final class VaeDecoder {
    private final Model model;
    private final Sizes sizes;

    /** @param model the contract's {@code vae_decoder} */
    VaeDecoder(Model model, Sizes sizes) {
        this.model = model;
        this.sizes = sizes;
    }

    /** The pictures in order, in chunks of as many as the model decodes at once. */
    List<Chunk> chunks(int pictures) {
        return Chunk.split(pictures, model.maxBatchSize());
    }

    /** The pictures {@code [H, W, 3]} of a chunk of the latents; fails as {@link Model#infer} does. */
    List<Pixels> decode(Latents latents, Chunk chunk) {
        TensorSpec input = model.input("latents");
        int stride = latents.stride();
        Tensor rows = new Floats(input.type(), input.batchShape(chunk.size()))
                .put(latents.values(), chunk.first() * stride, chunk.size() * stride, 1, 1)
                .tensor();
        Map<String, Tensor> outputs = model.infer(Map.of("latents", rows));
        byte[] images = requireNonNull(outputs.get("image")).toBytes();
        int length = images.length / chunk.size();
        List<Pixels> pictures = new ArrayList<>();
        for (int i = 0; i < chunk.size(); i++) {
            byte[] rgb = Arrays.copyOfRange(images, i * length, (i + 1) * length);
            pictures.add(new Pixels(sizes.imageWidth(), sizes.imageHeight(), rgb));
        }
        return pictures;
    }
}
