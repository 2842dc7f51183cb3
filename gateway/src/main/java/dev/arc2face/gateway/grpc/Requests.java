package dev.arc2face.gateway.grpc;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.ByteString;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.FailureException.FieldViolation;
import dev.arc2face.gateway.config.GenerationConfig;
import dev.arc2face.gateway.config.LimitsConfig;
import dev.arc2face.gateway.diffusion.GenerationOptions;
import dev.arc2face.gateway.diffusion.SchedulerKind;
import dev.arc2face.gateway.diffusion.Variant;
import dev.arc2face.gateway.diffusion.Variants;
import dev.arc2face.gateway.face.Aligner;
import dev.arc2face.gateway.face.IdentitySource.AlignedFace;
import dev.arc2face.gateway.face.IdentitySource.GivenEmbedding;
import dev.arc2face.gateway.face.IdentitySource.Photo;
import dev.arc2face.gateway.image.ImageFormat;
import dev.arc2face.gateway.image.Pixels;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.IdentitySource;
import io.grpc.Status;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Supplier;

/**
 * Requests, whose static constraints are known to hold, to the domain: absent options get this deployment's defaults,
 * and what breaks its limits is refused by field.
 */
final class Requests {
    private final GenerationConfig defaults;
    private final LimitsConfig limits;
    private final SchedulerKind scheduler;
    private final SecureRandom random = new SecureRandom();

    /** Refuses a default scheduler that there is not, by its key. */
    Requests(GenerationConfig defaults, LimitsConfig limits) {
        this.defaults = defaults;
        this.limits = limits;
        try {
            this.scheduler = SchedulerKind.parse(defaults.scheduler());
        } catch (FailureException unknown) {
            throw new IllegalArgumentException("arc2face.generation.scheduler: " + unknown.message(), unknown);
        }
    }

    /**
     * What a generation is asked for, every choice made.
     *
     * @param id of the request: where it gives no seed, the same id gives the same one at every gateway
     */
    GenerationOptions options(GenerateRequest request, String id, Pipeline pipeline) {
        Variant variant = blaming("variant", () -> variant(request, pipeline.variants()));
        ImageFormat format = format(request);
        GenerationOptions options = new GenerationOptions(
                variant,
                request.hasNumImages() ? request.getNumImages() : 1,
                request.hasSteps() ? request.getSteps() : variant.defaultSteps(),
                request.hasGuidanceScale() ? request.getGuidanceScale() : variant.defaultGuidanceScale(),
                request.hasGuidanceUntil() ? request.getGuidanceUntil() : 1,
                request.getScheduler().isEmpty()
                        ? defaultScheduler(variant)
                        : blaming("scheduler", () -> SchedulerKind.parse(request.getScheduler())),
                request.hasSeed() ? request.getSeed() : seed(id),
                request.hasPreviewEvery() ? request.getPreviewEvery() : defaults.previewEvery(),
                format,
                request.hasJpegQuality() ? request.getJpegQuality() : defaults.jpegQuality(),
                request.getReproducible());
        checkLimits(request, options);
        return options;
    }

    /** The caller's name for its request, or one of ours. */
    String requestId(GenerateRequest request) {
        if (!request.getRequestId().isEmpty()) {
            return request.getRequestId();
        }
        byte[] id = new byte[8];
        random.nextBytes(id);
        return HexFormat.of().formatHex(id);
    }

    private static int seed(String id) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(("seed of " + id).getBytes(UTF_8));
            return ByteBuffer.wrap(hash).getInt();
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** The scheduler of a request that names none: the variant's own, otherwise this deployment's. */
    SchedulerKind defaultScheduler(Variant variant) {
        return variant.defaultScheduler().orElse(scheduler);
    }

    private static Variant variant(GenerateRequest request, Variants variants) {
        return request.getVariant().isEmpty() ? variants.base() : variants.parse(request.getVariant());
    }

    static dev.arc2face.gateway.face.IdentitySource identity(IdentitySource source) {
        return switch (source.getSourceCase()) {
            case PHOTO ->
                new Photo(
                        source.getPhoto().toByteArray(),
                        source.hasFaceIndex() ? OptionalInt.of(source.getFaceIndex()) : OptionalInt.empty());
            case ALIGNED_FACE -> new AlignedFace(crop(source.getAlignedFace().getRgb()));
            case EMBEDDING -> {
                float[] values = new float[source.getEmbedding().getValuesCount()];
                for (int i = 0; i < values.length; i++) {
                    values[i] = source.getEmbedding().getValues(i);
                }
                yield new GivenEmbedding(values, source.getEmbedding().getRecogniserId());
            }
            case AVERAGE, INTERPOLATION ->
                throw FailureException.of(ErrorReason.UNIMPLEMENTED, "averages and interpolations are not served yet");
            case SOURCE_NOT_SET -> throw new IllegalArgumentException("validation let a request without a source pass");
        };
    }

    /** Does what may fail on the identity given in a field, and has the failure name that field. */
    static <T> T blaming(String field, IdentitySource source, Supplier<T> work) {
        try {
            return work.get();
        } catch (FailureException failure) {
            throw blame(failure, field, source);
        }
    }

    /** The failure of reading an identity, pointing at the field that gave it. */
    static FailureException blame(FailureException failure, String field, IdentitySource source) {
        String part = switch (failure.reason()) {
            case FACE_INDEX_OUT_OF_RANGE -> ".face_index";
            default ->
                switch (source.getSourceCase()) {
                    case PHOTO -> ".photo";
                    case ALIGNED_FACE -> ".aligned_face";
                    case EMBEDDING -> ".embedding";
                    case AVERAGE -> ".average";
                    case INTERPOLATION -> ".interpolation";
                    case SOURCE_NOT_SET -> "";
                };
        };
        return blame(failure, field + part);
    }

    /** Does what may fail because of a field, and has the failure name it. */
    static <T> T blaming(String field, Supplier<T> work) {
        try {
            return work.get();
        } catch (FailureException failure) {
            throw blame(failure, field);
        }
    }

    private static FailureException blame(FailureException failure, String field) {
        boolean nameless = failure.reason().code() == Status.Code.INVALID_ARGUMENT
                && failure.violations().isEmpty();
        return nameless ? failure.at(field) : failure;
    }

    private void checkLimits(GenerateRequest request, GenerationOptions options) {
        int mostSteps = options.variant().mostSteps(options.scheduler());
        List<FieldViolation> violations = new ArrayList<>();
        if (options.numImages() > limits.maxImages()) {
            violations.add(new FieldViolation("num_images", "at most " + limits.maxImages() + " here"));
        }
        if (options.steps() > limits.maxSteps()) {
            violations.add(new FieldViolation("steps", "at most " + limits.maxSteps() + " here"));
        } else if (options.steps() > mostSteps) {
            violations.add(new FieldViolation(
                    "steps",
                    "at most " + mostSteps + " with " + options.scheduler().id()));
        }
        if (request.hasJpegQuality() && options.format() != ImageFormat.JPEG) {
            violations.add(new FieldViolation("jpeg_quality", "goes with IMAGE_FORMAT_JPEG only"));
        }
        if (!violations.isEmpty()) {
            throw FailureException.invalid(violations);
        }
    }

    private static ImageFormat format(GenerateRequest request) {
        return switch (request.getOutputFormat()) {
            case IMAGE_FORMAT_JPEG -> ImageFormat.JPEG;
            case IMAGE_FORMAT_PNG, IMAGE_FORMAT_UNSPECIFIED, UNRECOGNIZED -> ImageFormat.PNG;
        };
    }

    private static Pixels crop(ByteString rgb) {
        return new Pixels(Aligner.SIDE, Aligner.SIDE, rgb.toByteArray());
    }
}
