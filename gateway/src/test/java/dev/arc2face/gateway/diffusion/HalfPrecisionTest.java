package dev.arc2face.gateway.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import dev.arc2face.gateway.face.FaceDetector;
import dev.arc2face.gateway.face.IdentityReader;
import dev.arc2face.gateway.face.IdentityScorer;
import dev.arc2face.gateway.face.IdentitySource;
import dev.arc2face.gateway.face.Recogniser;
import dev.arc2face.gateway.image.ImageFormat;
import dev.arc2face.gateway.image.PhotoDecoder;
import dev.arc2face.gateway.image.Pixels;
import dev.arc2face.gateway.triton.DataType;
import dev.arc2face.gateway.triton.ModelRepository;
import dev.arc2face.gateway.triton.OwnModels;
import dev.arc2face.gateway.triton.ServedModels;
import dev.arc2face.gateway.triton.SharedTriton;
import dev.arc2face.gateway.triton.TritonExtension;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Networks that take and give FP16, on the real Triton, against the same networks with FP32. */
@ExtendWith(TritonExtension.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HalfPrecisionTest {
    private static final int STEPS = 6;

    private OwnModels half;
    private ServedModels full;

    @BeforeAll
    void start(SharedTriton triton) {
        half = new OwnModels(ModelRepository.HALF);
        full = triton.models();
    }

    @AfterAll
    void stop() {
        half.close();
    }

    @Test
    void theTensorsAreWhatTheMetadataSays() {
        assertThat(half.get().encoder().output("context").type()).isEqualTo(DataType.FP16);
        assertThat(half.get().unet().input("latents").type()).isEqualTo(DataType.FP16);
        assertThat(half.get().unet().output("prediction").type()).isEqualTo(DataType.FP16);
        assertThat(half.get().vaeDecoder().input("latents").type()).isEqualTo(DataType.FP16);
        assertThat(half.get().unetLcm().orElseThrow().input("context").type()).isEqualTo(DataType.FP32);
    }

    @ParameterizedTest
    @EnumSource
    void picturesAreThoseOfSinglePrecisionButForTheRounding(SchedulerKind scheduler) {
        // The UNet for few steps has FP32, the encoder and the VAE decoder beside it do not.
        for (String variant : List.of("base", "lcm")) {
            Pixels expected = draw(full, Variants.of(full).parse(variant), scheduler, 1, 2)
                    .get(0);
            Pixels rounded = draw(half.get(), Variants.of(half.get()).parse(variant), scheduler, 1, 2)
                    .get(0);
            assertThat(psnr(rounded, expected)).as(variant).isGreaterThan(40);
        }
    }

    @Test
    void picturesOfOneRequestAreThoseOfSeveral() {
        Variant variant = Variants.of(half.get()).base();
        List<Pixels> together = draw(half.get(), variant, SchedulerKind.LCM, 3, 1.5f);

        assertThat(together.get(0).rgb())
                .isEqualTo(draw(half.get(), variant, SchedulerKind.LCM, 1, 1.5f)
                        .get(0)
                        .rgb());
        assertThat(together.get(1).rgb()).isNotEqualTo(together.get(0).rgb());
    }

    private static List<Pixels> draw(
            ServedModels models, Variant variant, SchedulerKind scheduler, int pictures, float guidanceScale) {
        FaceDetector detector = new FaceDetector(models.faceDetector(), models.sizes());
        Recogniser recogniser = new Recogniser(models.arcface());
        PhotoDecoder decoder = new PhotoDecoder(1 << 24, 50_000_000);
        PortraitGenerator generator = new PortraitGenerator(
                models,
                new IdentityReader(decoder, detector, recogniser, 24),
                new IdentityScorer(detector, recogniser),
                Runnable::run,
                System::nanoTime);
        IdentitySource somebody = new IdentitySource.GivenEmbedding(
                new Noise(7).draw(models.sizes().embeddingSize()), recogniser.id());
        GenerationOptions options = new GenerationOptions(
                variant,
                pictures,
                STEPS,
                guidanceScale,
                1,
                scheduler,
                5,
                0,
                ImageFormat.PNG,
                92,
                false,
                SimilarityFloor.NONE);
        List<Pixels> drawn = new ArrayList<>();
        generator.generate(somebody, options, event -> {
            if (event instanceof GenerationEvent.Portrait portrait) {
                drawn.add(decoder.decode(portrait.file().bytes()));
            }
        });
        return drawn;
    }

    /** Peak signal to noise ratio in dB; infinite for equal pictures. */
    private static double psnr(Pixels actual, Pixels expected) {
        double squares = 0;
        for (int i = 0; i < expected.rgb().length; i++) {
            double difference = (actual.rgb()[i] & 0xff) - (expected.rgb()[i] & 0xff);
            squares += difference * difference;
        }
        return 10 * Math.log10(255 * 255 / (squares / expected.rgb().length));
    }
}
