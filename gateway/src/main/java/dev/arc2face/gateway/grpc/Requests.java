package dev.arc2face.gateway.grpc;

import static dev.arc2face.gateway.FailureException.blaming;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.ByteString;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.FailureException.FieldViolation;
import dev.arc2face.gateway.config.GenerationConfig;
import dev.arc2face.gateway.config.LimitsConfig;
import dev.arc2face.gateway.diffusion.GenerationOptions;
import dev.arc2face.gateway.diffusion.SchedulerKind;
import dev.arc2face.gateway.diffusion.SimilarityFloor;
import dev.arc2face.gateway.diffusion.Variant;
import dev.arc2face.gateway.diffusion.Variants;
import dev.arc2face.gateway.face.Aligner;
import dev.arc2face.gateway.face.IdentitySource.AlignedFace;
import dev.arc2face.gateway.face.IdentitySource.Average;
import dev.arc2face.gateway.face.IdentitySource.GivenEmbedding;
import dev.arc2face.gateway.face.IdentitySource.Interpolation;
import dev.arc2face.gateway.face.IdentitySource.Photo;
import dev.arc2face.gateway.image.ImageFormat;
import dev.arc2face.gateway.image.Pixels;
import dev.arc2face.gateway.provenance.Sha256;
import dev.arc2face.gateway.receipt.OutputFormat;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.IdentitySource;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * Requests, whose static constraints are known to hold, to the domain: absent options get this deployment's defaults,
 * and what breaks its limits is refused by field.
 */
final class Requests {
    /** Attempts at a portrait where the request says how similar it must be and no more. */
    private static final int DEFAULT_ATTEMPTS = 4;

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
                OutputFormat.of(request.getOutputFormat()),
                request.hasJpegQuality() ? request.getJpegQuality() : defaults.jpegQuality(),
                request.getReproducible(),
                floor(request));
        checkLimits(request, options);
        return options;
    }

    private SimilarityFloor floor(GenerateRequest request) {
        return request.hasMinSimilarity()
                ? new SimilarityFloor(
                        OptionalDouble.of(request.getMinSimilarity()),
                        request.hasMaxAttempts()
                                ? request.getMaxAttempts()
                                : Math.min(DEFAULT_ATTEMPTS, limits.maxAttempts()))
                : SimilarityFloor.NONE;
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
        return ByteBuffer.wrap(Sha256.bytesOf(("seed of " + id).getBytes(UTF_8)))
                .getInt();
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
            case AVERAGE ->
                new Average(source.getAverage().getSourcesList().stream()
                        .map(Requests::identity)
                        .toList());
            case INTERPOLATION ->
                new Interpolation(
                        identity(source.getInterpolation().getFirst()),
                        identity(source.getInterpolation().getSecond()),
                        source.getInterpolation().getTList());
            case SOURCE_NOT_SET -> throw new IllegalArgumentException("validation let a request without a source pass");
        };
    }

    /** Where each portrait is between the two identities of an interpolation; empty without one. */
    static List<Float> shares(IdentitySource source, int portraits) {
        List<Float> shares = source.getInterpolation().getTList();
        return shares.size() == 1 ? Collections.nCopies(portraits, shares.get(0)) : List.copyOf(shares);
    }

    private void checkLimits(GenerateRequest request, GenerationOptions options) {
        int mostSteps = options.variant().mostSteps(options.scheduler());
        List<FieldViolation> violations = new ArrayList<>();
        if (options.numImages() > limits.maxImages()) {
            violations.add(new FieldViolation("num_images", "at most " + limits.maxImages() + " here"));
        }
        if (options.floor().maxAttempts() > limits.maxAttempts()) {
            violations.add(new FieldViolation("max_attempts", "at most " + limits.maxAttempts() + " here"));
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

    private static Pixels crop(ByteString rgb) {
        return new Pixels(Aligner.SIDE, Aligner.SIDE, rgb.toByteArray());
    }
}
