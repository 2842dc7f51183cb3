package dev.arc2face.gateway.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ChunkTest {
    @Test
    void fullChunksComeFirstAndTheRestLast() {
        assertThat(Chunk.split(16, 8)).containsExactly(new Chunk(0, 8), new Chunk(8, 8));
        assertThat(Chunk.split(9, 8)).containsExactly(new Chunk(0, 8), new Chunk(8, 1));
        assertThat(Chunk.split(3, 8)).containsExactly(new Chunk(0, 3));
        assertThat(Chunk.split(2, 1)).containsExactly(new Chunk(0, 1), new Chunk(1, 1));
    }
}
