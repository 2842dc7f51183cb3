package dev.arc2face.gateway.config;

import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;

/** What a caller may ask for, and how many callers are served at once. */
@ConfigMapping(prefix = "arc2face.limits")
public interface LimitsConfig {
    /** Largest encoded photo, at most 16M. */
    @WithDefault("16M")
    MemorySize maxPhotoBytes();

    /** Most pixels of a photo; checked before anything is decoded. */
    @WithDefault("50000000")
    int maxPhotoPixels();

    /** Smallest face accepted: the shorter side of its box in pixels of the photo. */
    @WithDefault("24")
    int minFacePixels();

    /** Most portraits of a request, 1 to 16. */
    @WithDefault("16")
    int maxImages();

    /** Most denoising steps of a request, 1 to 100. */
    @WithDefault("100")
    int maxSteps();

    /** Most attempts at a portrait with min_similarity, 1 to 16. */
    @WithDefault("16")
    int maxAttempts();

    /** Generations that run at once. */
    @WithDefault("16")
    int maxRunning();

    /**
     * How few generations the limit may fall to while model calls take longer than they used to; what is not below
     * max-running leaves the limit there.
     */
    @WithDefault("1024")
    int minRunning();

    /** Generations that wait for their turn; the next one is answered QUEUE_FULL before its request is read. */
    @WithDefault("64")
    int maxQueued();

    /**
     * What the requests that wait may hold together; the next one is answered QUEUE_FULL. As much again is for those that
     * come in over HTTP, where one always may.
     */
    @WithDefault("256M")
    MemorySize maxQueuedBytes();

    /** Unary calls (detect, embed, compare) that run at once. */
    @WithDefault("4")
    int maxUnaryRunning();

    /** Unary calls that wait for their turn. */
    @WithDefault("64")
    int maxUnaryQueued();

    /** Largest request message, at most 17M. */
    @WithDefault("17M")
    MemorySize maxRequestBytes();

    /** Calls that a client may break off in 10 s on one connection; then the connection is closed. */
    @WithDefault("1000")
    int maxResets();

    /** Largest event of a stream, at most 3M. */
    @WithDefault("3M")
    MemorySize maxEventBytes();

    /**
     * How long a caller may leave its stream unread while something waits for it, or keep a place for a generation
     * without sending its request.
     */
    @WithDefault("PT30S")
    Duration clientStall();

    /** What a caller is told to wait before it tries again, at least. */
    @WithDefault("PT1S")
    Duration retryAfter();

    /**
     * How long before a call's deadline its work stops, so that the answer says why while the caller still listens;
     * never more than a tenth of the time that the call had left.
     */
    @WithDefault("PT0.1S")
    Duration deadlineMargin();

    /** How long what runs may go on once the gateway is told to stop (SIGTERM). */
    @WithDefault("PT25S")
    Duration shutdownGrace();

    /** Refuses values that the API does not allow. */
    static void check(LimitsConfig config) {
        Range.check("arc2face.limits.max-photo-bytes", config.maxPhotoBytes().asLongValue(), 1, 16 << 20);
        Range.check("arc2face.limits.max-photo-pixels", config.maxPhotoPixels(), 1, 1 << 28);
        Range.check("arc2face.limits.min-face-pixels", config.minFacePixels(), 1, 4096);
        Range.check("arc2face.limits.max-images", config.maxImages(), 1, 16);
        Range.check("arc2face.limits.max-steps", config.maxSteps(), 1, 100);
        Range.check("arc2face.limits.max-attempts", config.maxAttempts(), 1, 16);
        Range.check("arc2face.limits.max-running", config.maxRunning(), 1, 1024);
        Range.check("arc2face.limits.min-running", config.minRunning(), 1, 1024);
        Range.check("arc2face.limits.max-queued", config.maxQueued(), 1, 1 << 16);
        Range.check("arc2face.limits.max-queued-bytes", config.maxQueuedBytes().asLongValue(), 0, Long.MAX_VALUE);
        Range.check("arc2face.limits.max-unary-running", config.maxUnaryRunning(), 1, 1024);
        Range.check("arc2face.limits.max-unary-queued", config.maxUnaryQueued(), 1, 1 << 16);
        Range.check(
                "arc2face.limits.max-request-bytes", config.maxRequestBytes().asLongValue(), 1, 17 << 20);
        Range.check("arc2face.limits.max-resets", config.maxResets(), 1, 1 << 20);
        Range.check("arc2face.limits.max-event-bytes", config.maxEventBytes().asLongValue(), 1 << 16, 3 << 20);
        Range.positive("arc2face.limits.client-stall", config.clientStall());
        Range.positive("arc2face.limits.retry-after", config.retryAfter());
        Range.positive("arc2face.limits.deadline-margin", config.deadlineMargin());
        Range.notNegative("arc2face.limits.shutdown-grace", config.shutdownGrace());
    }
}
