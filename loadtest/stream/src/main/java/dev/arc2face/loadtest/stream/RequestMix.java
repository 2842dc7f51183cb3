package dev.arc2face.loadtest.stream;

import com.google.protobuf.ByteString;
import dev.arc2face.v1.Embedding;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GetModelInfoResponse;
import dev.arc2face.v1.IdentitySource;
import dev.arc2face.v1.ImageFormat;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * What each call asks for: a function of the options and the call's index alone, so that two runs with the same options
 * ask for the same. No two portraits of a run have the same seed, and no two calls the same random embedding.
 */
final class RequestMix {
    /** More than a request may have, so that the seeds of one request never reach into the next one's. */
    private static final int SEEDS_PER_CALL = 16;

    private final Mix mix;
    private final int embeddingSize;
    private final String recogniser;
    private final List<ByteString> photos;

    /** @param photos the identities in turn; where there are none, random embeddings as the server takes them */
    RequestMix(Mix mix, GetModelInfoResponse served, List<ByteString> photos) {
        if (mix.images.isEmpty() || mix.deadlines.isEmpty() || mix.cancelShare < 0 || mix.cancelShare > 1) {
            throw new IllegalArgumentException("a mix of nothing, or a share outside 0 to 1");
        }
        this.mix = mix;
        this.embeddingSize = served.getEmbeddingSize();
        this.recogniser = served.getRecogniserId();
        this.photos = photos;
    }

    PlannedCall call(long index) {
        SplittableRandom random = new SplittableRandom(mix.seed * 0x9E3779B97F4A7C15L + index);
        Choice choice = mix.order == Mix.Order.RANDOM ? random::nextInt : new MixedRadix(index);
        GenerateRequest.Builder request = GenerateRequest.newBuilder();
        if (!mix.steps.isEmpty()) {
            request.setSteps(of(mix.steps, choice));
        }
        request.setNumImages(of(mix.images, choice));
        Duration deadline = of(mix.deadlines, choice);
        boolean cancelled = random.nextDouble() < mix.cancelShare;
        request.setIdentity(identity(index, random))
                .setSeed((int) (mix.seed * 0x9E3779B9L + index * SEEDS_PER_CALL))
                .setPreviewEvery(mix.previewEvery)
                .setScheduler(mix.scheduler)
                .setVariant(mix.variant);
        if (mix.guidance != null) {
            request.setGuidanceScale(mix.guidance);
        }
        if (mix.format != null) {
            request.setOutputFormat(
                    mix.format == Mix.Format.PNG ? ImageFormat.IMAGE_FORMAT_PNG : ImageFormat.IMAGE_FORMAT_JPEG);
        }
        @Nullable Duration limit = deadline.isZero() ? null : deadline;
        return new PlannedCall(request.build(), limit, cancelled ? mix.cancelAfterSteps : 0);
    }

    private IdentitySource identity(long index, SplittableRandom random) {
        if (!photos.isEmpty()) {
            return IdentitySource.newBuilder()
                    .setPhoto(photos.get((int) (index % photos.size())))
                    .build();
        }
        double[] direction = new double[embeddingSize];
        double squares = 0;
        for (int i = 0; i < embeddingSize; i++) {
            direction[i] = random.nextGaussian();
            squares += direction[i] * direction[i];
        }
        double length = Math.sqrt(squares);
        Embedding.Builder embedding = Embedding.newBuilder().setRecogniserId(recogniser);
        for (double value : direction) {
            embedding.addValues((float) (value / length));
        }
        return IdentitySource.newBuilder().setEmbedding(embedding).build();
    }

    private static <T> T of(List<T> values, Choice choice) {
        return values.get(choice.below(values.size()));
    }

    private interface Choice {
        int below(int bound);
    }

    /** The digits of the index in a number system whose places are the lists' sizes. */
    private static final class MixedRadix implements Choice {
        private long rest;

        MixedRadix(long index) {
            rest = index;
        }

        @Override
        public int below(int bound) {
            int digit = (int) (rest % bound);
            rest /= bound;
            return digit;
        }
    }
}
