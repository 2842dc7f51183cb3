package dev.arc2face.gateway.diffusion;

import java.util.ArrayList;
import java.util.List;

/**
 * Neighbouring pictures that go into one model call.
 *
 * @param first index of the first
 * @param size how many
 */
record Chunk(int first, int size) {
    /** All pictures in order, in as few chunks of at most {@code most} as there can be. */
    static List<Chunk> split(int pictures, int most) {
        List<Chunk> chunks = new ArrayList<>();
        for (int first = 0; first < pictures; first += most) {
            chunks.add(new Chunk(first, Math.min(most, pictures - first)));
        }
        return List.copyOf(chunks);
    }
}
