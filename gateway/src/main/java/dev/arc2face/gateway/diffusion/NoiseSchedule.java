package dev.arc2face.gateway.diffusion;

import dev.arc2face.gateway.diffusion.PredictionType.Weights;

/**
 * How much noise a network was trained on at each timestep: {@code alphasCumprod[t]} is the paper's alpha-bar_t (DDPM,
 * arXiv 2006.11239, equation 4). Computed in FP32 and in the reference's order of operations: at the clean end
 * {@code 1 - alpha-bar} keeps only three or four of FP32's digits, and the pictures depend on which.
 */
record NoiseSchedule(float[] alphasCumprod) {
    private static final int MIN_TIMESTEPS = 101; // so that 100 steps, the API's limit, are steps apart
    private static final int MAX_TIMESTEPS = 100_000; // a hundred times the usual; each schedule computes all of them
    private static final double MAX_BETA = 0.999;

    enum Betas {
        LINEAR,
        SCALED_LINEAR,
        SQUAREDCOS_CAP_V2
    }

    /** The schedule of the settings; what they omit is DDPM's: linear from 0.0001 to 0.02. */
    static NoiseSchedule of(SchedulerConfig config) {
        return of(config, Betas.LINEAR, 0.0001, 0.02);
    }

    /** The schedule of the settings, and what it is where they omit it. */
    static NoiseSchedule of(SchedulerConfig config, Betas absentBetas, double absentStart, double absentEnd) {
        config.refuse("trained_betas");
        int timesteps = config.integer("num_train_timesteps", 1000);
        if (timesteps < MIN_TIMESTEPS) {
            throw config.violation("num_train_timesteps", "is less than " + MIN_TIMESTEPS);
        }
        if (timesteps > MAX_TIMESTEPS) {
            throw config.violation("num_train_timesteps", "is more than " + MAX_TIMESTEPS);
        }
        double start = config.number("beta_start", absentStart);
        double end = config.number("beta_end", absentEnd);
        float[] betas = switch (config.choice("beta_schedule", absentBetas)) {
            case LINEAR -> linspace((float) start, (float) end, timesteps);
            case SCALED_LINEAR -> squared(linspace((float) Math.sqrt(start), (float) Math.sqrt(end), timesteps));
            case SQUAREDCOS_CAP_V2 -> squaredCosine(timesteps);
        };
        return new NoiseSchedule(
                cumulativeProduct(config.flag("rescale_betas_zero_snr", false) ? zeroTerminalSnr(betas) : betas));
    }

    /**
     * The same schedule ending in 2^-24 (FP16's smallest number) where it would end in pure noise, for solvers that
     * divide by alpha.
     */
    NoiseSchedule neverPureNoise(SchedulerConfig config) {
        if (!config.flag("rescale_betas_zero_snr", false)) {
            return this;
        }
        float[] values = alphasCumprod.clone();
        values[values.length - 1] = 0x1p-24f;
        return new NoiseSchedule(values);
    }

    int timesteps() {
        return alphasCumprod.length;
    }

    /** The weights of x0 at a training timestep; a prediction that says nothing about it there is refused. */
    Weights denoised(int timestep, PredictionType type, SchedulerConfig config) {
        float alphaBar = alphasCumprod[timestep];
        if (alphaBar == 0 && type == PredictionType.EPSILON) {
            throw config.violation(
                    "rescale_betas_zero_snr", "does not go with epsilon: at pure noise it says nothing about x0");
        }
        return type.denoised(Math.sqrt(alphaBar), Math.sqrt(1 - alphaBar));
    }

    /** {@code sigma / alpha} at a training timestep: the noise level in the scale of a clean picture. */
    float sigma(int timestep) {
        return (float) Math.sqrt((1 - alphasCumprod[timestep]) / alphasCumprod[timestep]);
    }

    /** The noise level at a timestep between training timesteps, by linear interpolation; constant beyond the ends. */
    double sigma(double timestep) {
        int last = timesteps() - 1;
        if (timestep <= 0 || timestep >= last) {
            return sigma(timestep <= 0 ? 0 : last);
        }
        int low = (int) timestep;
        double at = sigma(low);
        return at + (timestep - low) * ((double) sigma(low + 1) - at);
    }

    /** The timestep, as a fraction, at which the logarithm of the noise level is that of {@code sigma}. */
    double timestep(double sigma) {
        double logSigma = StrictMath.log(Math.max(sigma, 1e-10));
        int low = 0;
        int high = timesteps() - 1;
        while (high - low > 1) {
            int middle = (low + high) / 2;
            if (logSigma >= logSigma(middle)) {
                low = middle;
            } else {
                high = middle;
            }
        }
        float lowest = logSigma(low);
        double weight = (lowest - logSigma) / (lowest - logSigma(high));
        return low + Math.min(Math.max(weight, 0), 1);
    }

    private float logSigma(int timestep) {
        return (float) StrictMath.log(sigma(timestep));
    }

    /** As torch.linspace: from both ends towards the middle, each value rounded once. */
    private static float[] linspace(float start, float end, int count) {
        float step = (end - start) / (count - 1);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = i < count / 2 ? Math.fma(step, i, start) : Math.fma(-step, count - 1 - i, end);
        }
        return values;
    }

    private static float[] squared(float[] values) {
        float[] squares = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            squares[i] = values[i] * values[i];
        }
        return squares;
    }

    /** Improved DDPM, arXiv 2102.09672, equation 17. */
    private static float[] squaredCosine(int count) {
        float[] betas = new float[count];
        for (int i = 0; i < count; i++) {
            double ratio = alphaBar((i + 1.0) / count) / alphaBar((double) i / count);
            betas[i] = (float) Math.min(1 - ratio, MAX_BETA);
        }
        return betas;
    }

    private static double alphaBar(double time) {
        double cosine = StrictMath.cos((time + 0.008) / 1.008 * Math.PI / 2);
        return cosine * cosine;
    }

    /** arXiv 2305.08891, algorithm 1. */
    private static float[] zeroTerminalSnr(float[] betas) {
        float[] roots = cumulativeProduct(betas);
        for (int i = 0; i < roots.length; i++) {
            roots[i] = (float) Math.sqrt(roots[i]);
        }
        float first = roots[0];
        float last = roots[roots.length - 1];
        float scale = first / (first - last);
        float[] rescaled = new float[betas.length];
        float previous = 1;
        for (int i = 0; i < roots.length; i++) {
            float root = (roots[i] - last) * scale;
            float alphaBar = root * root;
            rescaled[i] = 1 - alphaBar / previous;
            previous = alphaBar;
        }
        return rescaled;
    }

    /** The running product of {@code 1 - beta}, kept in FP64 and given out in FP32. */
    private static float[] cumulativeProduct(float[] betas) {
        float[] products = new float[betas.length];
        double product = 1;
        for (int i = 0; i < betas.length; i++) {
            product *= 1 - betas[i];
            products[i] = (float) product;
        }
        return products;
    }
}
