package dev.arc2face.gateway.diffusion;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;

/** Any text is the settings of a scheduler, or of previews, or breaks the contract. */
public final class SettingsFuzz {
    private static final int[] STEPS = {1, 2, 25, 100};

    private SettingsFuzz() {}

    public static void fuzzerTestOneInput(byte[] utf8) {
        String text = new String(utf8, UTF_8);
        keepsTheContract(() -> LatentPreview.parse(text));
        keepsTheContract(() -> {
            SchedulerConfig config = SchedulerConfig.parse("unet", text);
            for (SchedulerKind kind : SchedulerKind.values()) {
                keepsTheContract(() -> makeSchedules(kind, config));
            }
        });
    }

    private static void makeSchedules(SchedulerKind kind, SchedulerConfig config) {
        int most = Schedule.mostSteps(kind, config);
        for (int steps : STEPS) {
            Schedule.of(kind, config, Math.min(steps, most));
        }
    }

    private static void keepsTheContract(Runnable parsing) {
        try {
            parsing.run();
        } catch (FailureException violated) {
            if (violated.reason() != ErrorReason.MODEL_CONTRACT_VIOLATED) {
                throw new AssertionError(violated);
            }
        }
    }
}
