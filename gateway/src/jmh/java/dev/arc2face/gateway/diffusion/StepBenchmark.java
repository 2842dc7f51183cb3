package dev.arc2face.gateway.diffusion;

import dev.arc2face.gateway.OperationBenchmark;
import dev.arc2face.gateway.triton.DataType;
import dev.arc2face.gateway.triton.Tensor;
import dev.arc2face.gateway.triton.Tensor.Floats;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/**
 * One operation: what lies between two UNet calls of a guided generation of one portrait of latents
 * {@code [1, 4, 64, 64]}. The prediction's two rows are read from their wire form and combined, the scheduler takes a
 * step in the middle of its schedule, and the latents are written, twice, in the wire form of the next call. LCM adds
 * noise, which it draws. Left out is what gRPC does: building, sending and parsing the messages around these tensors.
 */
public class StepBenchmark extends OperationBenchmark {
    private static final int SIDE = 64;
    private static final int ROWS = 2;
    private static final int[] SHAPE = {ROWS, Latents.CHANNELS, SIDE, SIDE};
    private static final int STEPS = 8;
    private static final float GUIDANCE_SCALE = 3;

    /** Of Stable Diffusion 1.5, which Arc2Face is made from. */
    private static final String CONFIG = "{\"beta_start\": 0.00085, \"beta_end\": 0.012,"
            + " \"beta_schedule\": \"scaled_linear\", \"steps_offset\": 1, \"set_alpha_to_one\": false,"
            + " \"clip_sample\": false}";

    @Param
    private SchedulerKind scheduler;

    /** Element type of the latents and the prediction. */
    @Param({"FP32", "FP16"})
    private DataType wire;

    private Tensor answer;
    private PortraitNoise noise;
    private Latents prediction;
    private float[] pairs;
    private float[] start;
    private Step.State state;
    private Step step;
    private Step nextStep;

    @Setup
    public void prepare() {
        noise = new PortraitNoise(new int[] {1}, SIDE, SIDE);
        Latents guess = new PortraitNoise(new int[] {2, 3}, SIDE, SIDE).draw();
        answer = Tensor.ofFloats(wire, SHAPE, guess.values());
        Latents latents = noise.draw();
        prediction = latents.with(new float[latents.stride()]);
        pairs = new float[ROWS * latents.stride()];
        start = latents.values().clone();
        state = Step.State.initial(latents);
        List<Step> steps = Schedule.of(scheduler, SchedulerConfig.parse("unet", CONFIG), STEPS)
                .steps();
        step = steps.get(STEPS / 2);
        nextStep = steps.get(STEPS / 2 + 1);
    }

    @Benchmark
    public Tensor step() {
        Latents latents = state.latents();
        // Always from the same latents: the same step over and over would let them grow beyond all bounds.
        System.arraycopy(start, 0, latents.values(), 0, start.length);
        answer.readFloats(pairs, 0);
        Denoiser.guide(pairs, latents.stride(), GUIDANCE_SCALE, prediction.values(), 0, 1);
        step.advance(state, prediction, noise::draw);
        return new Floats(wire, SHAPE)
                .put(latents.values(), 0, latents.stride(), (float) nextStep.inputScale(), ROWS)
                .tensor();
    }
}
