package dev.arc2face.gateway.diffusion;

import dev.arc2face.gateway.OperationBenchmark;
import org.openjdk.jmh.annotations.Benchmark;

/** One operation: seed a generator and draw the starting noise of one portrait, {@code [1, 4, 64, 64]}. */
public class NoiseBenchmark extends OperationBenchmark {
    private int seed;

    @Benchmark
    public Latents startingNoise() {
        return new PortraitNoise(new int[] {seed++}, 64, 64).draw();
    }
}
