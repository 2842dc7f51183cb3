package dev.arc2face.gateway.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import org.junit.jupiter.api.Test;

class UnetTest {
    private static final Latents THREE = new Latents(new float[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 3, 1, 1);

    @Test
    void bothRowsOfAPictureAreNeighbours() {
        assertThat(Unet.repeated(THREE, new Chunk(1, 2), 2))
                .containsExactly(5, 6, 7, 8, 5, 6, 7, 8, 9, 10, 11, 12, 9, 10, 11, 12);
        assertThat(Unet.repeated(THREE, new Chunk(0, 1), 1)).containsExactly(1, 2, 3, 4);
    }

    @Test
    void theUnconditionalRowComesFirst() {
        Context context = new Context(ByteString.copyFromUtf8("yes"), ByteString.copyFromUtf8("no"));

        assertThat(context.rows(2).toStringUtf8()).isEqualTo("noyes");
        assertThat(context.rows(1).toStringUtf8()).isEqualTo("yes");
    }

    @Test
    void guidanceGoesFromTheUnconditionalThroughTheConditional() {
        float[] pairs = {1, 2, /**/ 3, 6, /**/ 10, 20, /**/ 10, 10};

        assertThat(Unet.guided(pairs, 2, 2)).containsExactly(5, 10, 10, 0);
        assertThat(Unet.guided(pairs, 2, 1)).containsExactly(3, 6, 10, 10);
    }
}
