package dev.arc2face.gateway.diffusion;

/** Where the steps lie among the training timesteps: arXiv 2305.08891, table 2. */
enum TimestepSpacing {
    LINSPACE,
    LEADING,
    TRAILING;

    /** {@code count} timesteps from {@code last} down to 0, both included; just 0 where there is one. */
    static double[] linspace(int last, int count) {
        double[] timesteps = new double[count];
        for (int i = 0; i < count; i++) {
            timesteps[count - 1 - i] = i * ((double) last / Math.max(count - 1, 1));
        }
        return timesteps;
    }

    /** {@code count} timesteps down to {@code lowest}, {@code stride} apart. */
    static double[] leading(int stride, int count, int lowest) {
        double[] timesteps = new double[count];
        for (int i = 0; i < count; i++) {
            timesteps[count - 1 - i] = i * stride + lowest;
        }
        return timesteps;
    }

    /**
     * Whole timesteps from {@code last} downwards, {@code all / count} apart: {@code count} of them, or fewer where
     * {@code last + 1} is less than {@code all}. The reference's numpy.arange gives a superfluous timestep -1 at a few
     * counts (61 of 1000); this does not.
     */
    static double[] trailing(int last, int all, int count) {
        double start = last + 1;
        double stride = (double) all / count;
        double step = (start - stride) - start; // numpy.arange's, rounding included
        double[] timesteps = new double[Math.min(count, (int) Math.ceil(start / stride))];
        for (int i = 0; i < timesteps.length; i++) {
            timesteps[i] = Math.rint(start + i * step) - 1;
        }
        return timesteps;
    }
}
