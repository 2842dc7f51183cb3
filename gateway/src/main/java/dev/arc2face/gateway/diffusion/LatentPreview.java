package dev.arc2face.gateway.diffusion;

import com.google.gson.Gson;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.image.Pixels;
import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Instant approximate pictures: the colour of a latent pixel is a linear function of its four channels. No network is
 * asked.
 */
final class LatentPreview {
    private static final String PARAMETER = "latent_rgb_factors";
    private static final int COLOURS = 3;
    private static final int MOST_SCALE = 4; // pixels per latent pixel
    private static final int SIDE = 128; // of the largest picture that is still scaled

    private final float[][] factors;
    private final float[] bias;

    /** {@code factors} is {@code [4][3]}, {@code bias} is {@code [3]}, to colours in 0..1. */
    private record Parameter(float @Nullable [][] factors, float @Nullable [] bias) {}

    private LatentPreview(float[][] factors, float[] bias) {
        this.factors = factors;
        this.bias = bias;
    }

    /**
     * Parses the {@code latent_rgb_factors} parameter of {@code vae_decoder}.
     *
     * @throws FailureException MODEL_CONTRACT_VIOLATED
     */
    static LatentPreview parse(String json) {
        Parameter parameter;
        try {
            parameter = new Gson().fromJson(json, Parameter.class);
        } catch (RuntimeException e) { // Gson's own, or what becomes of a null among the numbers
            throw violation();
        }
        if (parameter == null) {
            throw violation();
        }
        float[][] factors = parameter.factors();
        float[] bias = parameter.bias();
        if (factors == null
                || factors.length != Latents.CHANNELS
                || Arrays.stream(factors).anyMatch(row -> row == null || row.length != COLOURS)
                || bias == null
                || bias.length != COLOURS) {
            throw violation();
        }
        return new LatentPreview(factors, bias);
    }

    private static FailureException violation() {
        return FailureException.of(
                ErrorReason.MODEL_CONTRACT_VIOLATED,
                "vae_decoder: " + PARAMETER + " is not {\"factors\": [4][3], \"bias\": [3]}",
                Map.of("model", "vae_decoder", "tensor", "parameters." + PARAMETER));
    }

    /**
     * The picture of one portrait's latents, interpolated bilinearly: four times their size, or less where that would be
     * more than 128 pixels. There is no more to see in it than in the latents, and sixteen of them may come at once.
     */
    Pixels picture(Latents latents, int index) {
        float[] colours = colours(latents, index);
        int scale = scale(Math.max(latents.width(), latents.height()));
        int width = latents.width() * scale;
        int height = latents.height() * scale;
        byte[] rgb = new byte[width * height * COLOURS];
        for (int y = 0; y < height; y++) {
            float row = Math.max(0, (y + 0.5f) / scale - 0.5f);
            int floor = (int) row;
            int top = floor * latents.width();
            int bottom = Math.min(floor + 1, latents.height() - 1) * latents.width();
            for (int x = 0; x < width; x++) {
                float column = Math.max(0, (x + 0.5f) / scale - 0.5f);
                int left = (int) column;
                int right = Math.min(left + 1, latents.width() - 1);
                for (int c = 0; c < COLOURS; c++) {
                    float above = mix(
                            colours[(top + left) * COLOURS + c], colours[(top + right) * COLOURS + c], column - left);
                    float below = mix(
                            colours[(bottom + left) * COLOURS + c],
                            colours[(bottom + right) * COLOURS + c],
                            column - left);
                    float value = mix(above, below, row - floor);
                    rgb[(y * width + x) * COLOURS + c] = (byte) Math.round(255 * Math.max(0, Math.min(1, value)));
                }
            }
        }
        return new Pixels(width, height, rgb);
    }

    private static int scale(int side) {
        return Math.max(1, Math.min(MOST_SCALE, SIDE / side));
    }

    /** {@code [h, w, 3]}, about 0 to 1. */
    private float[] colours(Latents latents, int index) {
        int area = latents.height() * latents.width();
        float[] colours = new float[area * COLOURS];
        for (int i = 0; i < area; i++) {
            for (int c = 0; c < COLOURS; c++) {
                float value = bias[c];
                for (int channel = 0; channel < Latents.CHANNELS; channel++) {
                    value += factors[channel][c] * latents.values()[index * latents.stride() + channel * area + i];
                }
                colours[i * COLOURS + c] = value;
            }
        }
        return colours;
    }

    private static float mix(float from, float to, float weight) {
        return from + weight * (to - from);
    }
}
