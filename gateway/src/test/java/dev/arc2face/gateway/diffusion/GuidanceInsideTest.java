package dev.arc2face.gateway.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import dev.arc2face.gateway.diffusion.PredictionType.Weights;
import dev.arc2face.gateway.face.Embedding;
import dev.arc2face.gateway.triton.DataType;
import dev.arc2face.gateway.triton.ModelRepository;
import dev.arc2face.gateway.triton.OwnModels;
import dev.arc2face.gateway.triton.ServedModels;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** A UNet with the guidance inside, on the real Triton, against the same without. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class GuidanceInsideTest {
    private static final Step STEP = new Step(301.5f, 1, new Weights(1, 0), Double.POSITIVE_INFINITY, 1, 0, 0, 0, 0);

    private OwnModels own;
    private ServedModels models;
    private Unet inside;
    private Context context;

    @BeforeAll
    void start() {
        own = new OwnModels(ModelRepository.GUIDED);
        models = own.get();
        inside = Variants.of(models).base().unet();
        context = new Encoder(models.encoder())
                .encode(
                        List.of(Embedding.normalise(
                                new Noise(99).draw(models.sizes().embeddingSize()))),
                        DataType.FP32)
                .get(0);
    }

    @AfterAll
    void stop() {
        own.close();
    }

    @Test
    void aGuidedPictureIsOneRowOfIt() {
        assertThat(inside.calls(8, 3))
                .isEqualTo(new Unet.Calls(models.unetGuided().orElseThrow(), 1, Chunk.split(8, 8)));
        assertThat(inside.calls(9, 3).chunks()).containsExactly(new Chunk(0, 8), new Chunk(8, 1));
        assertThat(inside.calls(9, 1)).isEqualTo(new Unet.Calls(models.unet(), 1, Chunk.split(9, 16)));
    }

    @Test
    void predictionsAreTheSameBitForBit() {
        Unet outside = new Unet(models.unet(), Optional.empty());
        for (float guidanceScale : new float[] {1, 1.5f, 7}) {
            for (int pictures : new int[] {1, 9}) {
                Latents noise = new PortraitNoise(
                                IntStream.range(0, pictures).toArray(),
                                models.sizes().latentHeight(),
                                models.sizes().latentWidth())
                        .draw();
                assertThat(predict(inside, noise, guidanceScale)).isEqualTo(predict(outside, noise, guidanceScale));
            }
        }
    }

    private float[] predict(Unet unet, Latents noise, float guidanceScale) {
        return new Denoiser(unet, Collections.nCopies(noise.n(), context), noise)
                .predict(noise, STEP, guidanceScale)
                .values();
    }
}
