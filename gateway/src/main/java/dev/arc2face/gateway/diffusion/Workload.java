package dev.arc2face.gateway.diffusion;

/**
 * The UNet calls that a generation makes, one after another. A step with more rows than a call may have makes several.
 *
 * @param variant whose UNet is called
 * @param pictures portraits, at least 1
 * @param guided the steps that are guided; they come first
 * @param plain the steps that are not
 */
public record Workload(String variant, int pictures, Part guided, Part plain) {
    /**
     * Steps that are alike.
     *
     * @param steps how many; may be 0
     * @param callsPerStep UNet calls in each, at least 1
     * @param rowsPerCall rows that the model computes for a call, on average
     */
    public record Part(int steps, int callsPerStep, double rowsPerCall) {
        public Part {
            if (steps < 0 || callsPerStep < 1 || !(rowsPerCall > 0)) {
                throw new IllegalArgumentException(steps + " steps of " + callsPerStep + " x " + rowsPerCall);
            }
        }
    }

    public Workload {
        if (pictures < 1) {
            throw new IllegalArgumentException("pictures = " + pictures);
        }
    }

    public int steps() {
        return guided.steps() + plain.steps();
    }

    /** UNet calls in all. */
    public int calls() {
        return guided.steps() * guided.callsPerStep() + plain.steps() * plain.callsPerStep();
    }

    /** The part that a step belongs to, counted from 1. */
    public Part partOf(int step) {
        return step <= guided.steps() ? guided : plain;
    }
}
