package dev.arc2face.gateway.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.diffusion.PredictionType.Weights;
import dev.arc2face.gateway.face.Embedding;
import dev.arc2face.gateway.image.Pixels;
import dev.arc2face.gateway.triton.DataType;
import dev.arc2face.gateway.triton.ServedModels;
import dev.arc2face.gateway.triton.SharedTriton;
import dev.arc2face.gateway.triton.Statistics.Counters;
import dev.arc2face.gateway.triton.TritonExtension;
import io.grpc.Context.CancellableContext;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The encoder, the UNet and the VAE decoder on the real Triton. */
@ExtendWith(TritonExtension.class)
class UnetOnTritonTest {
    private static final Step STEP = new Step(749.25f, 1, new Weights(1, 0), Double.POSITIVE_INFINITY, 1, 0, 0, 0, 0);

    private final SharedTriton triton;
    private ServedModels models;
    private Unet unet;
    private Context context;

    UnetOnTritonTest(SharedTriton triton) {
        this.triton = triton;
    }

    @BeforeEach
    void readModels() {
        models = triton.models();
        unet = new Unet(models.unet(), Optional.empty());
        context = new Encoder(models.encoder())
                .encode(List.of(embedding(models.sizes().embeddingSize())), DataType.FP32)
                .get(0);
    }

    @Test
    void picturesAreWhatTheyAreAlone() {
        for (float guidanceScale : new float[] {1, 3}) {
            Latents together = predict(noise(5, 6, 7), context, guidanceScale);

            assertThat(picture(together, 0))
                    .isEqualTo(predict(noise(5), context, guidanceScale).values());
            assertThat(picture(together, 2))
                    .isEqualTo(predict(noise(7), context, guidanceScale).values());
        }
    }

    @Test
    void guidanceTakesBothRowsToTheirSides() {
        Latents noise = noise(1);
        float[] conditional = predict(noise, context, 1).values();
        float[] unconditional = predict(noise, new Context(context.unconditional(), context.unconditional()), 1)
                .values();
        float[] guided = predict(noise, context, 2.5f).values();

        assertThat(conditional).isNotEqualTo(unconditional);
        for (int i = 0; i < guided.length; i++) {
            assertThat(guided[i]).isEqualTo(unconditional[i] + 2.5f * (conditional[i] - unconditional[i]));
        }
    }

    @Test
    void withoutGuidanceHalfTheRowsAreAskedFor() {
        Counters before = triton.settledCounters("unet");
        predict(noise(1, 2, 3), context, 1);
        Counters unguided = triton.settledCounters("unet").since(before);
        predict(noise(1, 2, 3), context, 2);
        Counters both = triton.settledCounters("unet").since(before);

        assertThat(unguided.rows()).isEqualTo(3);
        assertThat(both.rows()).isEqualTo(3 + 6);
        assertThat(both.succeeded()).isEqualTo(2);
    }

    @Test
    void morePicturesThanABatchHoldsTakeMoreCalls() {
        int[] seeds = new int[models.unet().maxBatchSize() / 2 + 1];
        Arrays.setAll(seeds, i -> i);
        Counters before = triton.settledCounters("unet");
        Latents predicted = predict(noise(seeds), context, 2);
        Counters calls = triton.settledCounters("unet").since(before);

        assertThat(calls.succeeded())
                .isEqualTo(2)
                .isEqualTo(unet.calls(seeds.length, 2).chunks().size());
        int last = seeds.length - 1;
        assertThat(picture(predicted, last))
                .isEqualTo(predict(noise(last), context, 2).values());
    }

    @Test
    void aCancelledCallAsksNothing() {
        CancellableContext call = io.grpc.Context.current().withCancellation();
        call.cancel(null);
        Counters before = triton.settledCounters("unet");
        FailureException[] failure = new FailureException[1];
        call.run(() -> failure[0] = catchThrowableOfType(FailureException.class, () -> predict(noise(1), context, 2)));

        assertThat(failure[0].reason()).isEqualTo(ErrorReason.CANCELLED);
        assertThat(triton.settledCounters("unet").since(before)).isEqualTo(new Counters(0, 0, 0, 0));
    }

    @Test
    void decodedPicturesAreWhatTheyAreAlone() {
        VaeDecoder vae = new VaeDecoder(models.vaeDecoder(), models.sizes());
        Latents latents = noise(1, 2, 3);

        List<Pixels> pictures = vae.decode(latents, new Chunk(1, 2));

        assertThat(pictures).hasSize(2);
        assertThat(pictures.get(1).width()).isEqualTo(models.sizes().imageWidth());
        assertThat(pictures.get(1).rgb())
                .isEqualTo(vae.decode(noise(3), new Chunk(0, 1)).get(0).rgb());
    }

    private Latents predict(Latents latents, Context of, float guidanceScale) {
        return new Denoiser(unet, Collections.nCopies(latents.n(), of), latents).predict(latents, STEP, guidanceScale);
    }

    private Latents noise(int... seeds) {
        return new PortraitNoise(
                        seeds, models.sizes().latentHeight(), models.sizes().latentWidth())
                .draw();
    }

    private static Embedding embedding(int size) {
        return Embedding.normalise(new Noise(99).draw(size));
    }

    private static float[] picture(Latents latents, int index) {
        return Arrays.copyOfRange(latents.values(), index * latents.stride(), (index + 1) * latents.stride());
    }
}
