package dev.arc2face.gateway.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import org.junit.jupiter.api.Test;

class DenoiserTest {
    @Test
    void theUnconditionalRowComesFirst() {
        Context context = new Context(ByteString.copyFromUtf8("yes"), ByteString.copyFromUtf8("no"));

        assertThat(context.rows(2).toStringUtf8()).isEqualTo("noyes");
        assertThat(context.rows(1).toStringUtf8()).isEqualTo("yes");
    }

    @Test
    void guidanceGoesFromTheUnconditionalThroughTheConditional() {
        float[] pairs = {1, 2, /**/ 3, 6, /**/ 10, 20, /**/ 10, 10, /* of an earlier, larger call */ 7, 7};

        assertThat(guided(pairs, 2)).containsExactly(0, 0, 5, 10, 10, 0);
        assertThat(guided(pairs, 1)).containsExactly(0, 0, 3, 6, 10, 10);
    }

    private static float[] guided(float[] pairs, float scale) {
        float[] combined = new float[6];
        Denoiser.guide(pairs, 2, scale, combined, 2, 2);
        return combined;
    }
}
