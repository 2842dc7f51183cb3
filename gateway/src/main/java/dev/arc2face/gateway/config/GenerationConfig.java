package dev.arc2face.gateway.config;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/**
 * What a generation gets that did not say otherwise. Steps and guidance come from the served model; one portrait and
 * PNG are fixed by the API.
 */
@ConfigMapping(prefix = "arc2face.generation")
public interface GenerationConfig {
    /** Scheduler id, for variants whose model does not say. */
    @WithDefault("dpmpp_2m")
    String scheduler();

    /** A preview after each this many steps, 0 to 100; 0 sends none. */
    @WithDefault("5")
    int previewEvery();

    /** JPEG quality, 1 to 100. */
    @WithDefault("92")
    int jpegQuality();

    /** Refuses values that the API does not allow. */
    static void check(GenerationConfig config) {
        Range.check("arc2face.generation.preview-every", config.previewEvery(), 0, 100);
        Range.check("arc2face.generation.jpeg-quality", config.jpegQuality(), 1, 100);
    }
}
