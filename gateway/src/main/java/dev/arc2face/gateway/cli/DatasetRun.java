package dev.arc2face.gateway.cli;

import dev.arc2face.gateway.DaemonThreads;
import dev.arc2face.gateway.dataset.DatasetFolder;
import dev.arc2face.gateway.dataset.Hashes;
import dev.arc2face.gateway.dataset.Identities;
import dev.arc2face.gateway.dataset.Picture;
import dev.arc2face.gateway.dataset.Settings;
import dev.arc2face.gateway.dataset.Shard;
import dev.arc2face.gateway.face.Aligner;
import dev.arc2face.gateway.face.Point;
import dev.arc2face.gateway.image.ImageFormat;
import dev.arc2face.gateway.image.PictureEncoder;
import dev.arc2face.gateway.image.Pixels;
import dev.arc2face.gateway.provenance.XmpPacket;
import dev.arc2face.v1.Embedding;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.IdentitySource;
import dev.arc2face.v1.PortraitImage;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.PrimitiveIterator;
import java.util.SortedMap;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Draws the pictures that a data set's folder lacks, several at a time, each in a request of its own so that it does not
 * depend on its neighbours; the server joins them into batches. One thread writes, so that a slow disk slows the drawing.
 */
final class DatasetRun {
    /** Per thread; the second one waits while the first one is drawn, so that no thread waits for the disk. */
    private static final int AHEAD = 2;

    private final Connection.Session session;
    private final DatasetFolder folder;
    private final Identities identities;
    private final List<Float> trainingCosines; // one for each identity; empty where nobody looked
    private final Patience patience;
    private final ProgressDisplay progress;
    private final InstantSource clock;

    /** Where a picture is in the data set. */
    private record Place(int identity, int picture) {}

    /** A picture before it is written; without bytes where it was missed. */
    private record Drawn(Picture picture, byte[] image, byte[] aligned) {
        static final byte[] NONE = {};
    }

    DatasetRun(
            Connection.Session session,
            DatasetFolder folder,
            Identities identities,
            List<Float> trainingCosines,
            Patience patience,
            ProgressDisplay progress,
            InstantSource clock) {
        this.session = session;
        this.folder = folder;
        this.identities = identities;
        this.trainingCosines = trainingCosines;
        this.patience = patience;
        this.progress = progress;
        this.clock = clock;
    }

    /**
     * Draws what is missing of a shard.
     *
     * @param concurrency pictures at a time
     * @throws CommandFailure where the server refuses, or patience is over; what is written stays
     * @throws InterruptedException between two pictures; what is written stays
     */
    void run(Shard shard, int concurrency) throws InterruptedException {
        ExecutorService threads = Executors.newFixedThreadPool(concurrency, new DaemonThreads("picture"));
        CompletionService<Drawn> drawn = new ExecutorCompletionService<>(threads);
        Missing missing = new Missing(shard);
        Instant start = clock.instant();
        int underWay = 0;
        int written = 0;
        try {
            while (true) {
                while (underWay < AHEAD * concurrency && missing.hasNext()) {
                    Place place = missing.next();
                    var unused = drawn.submit(() -> draw(place));
                    underWay++;
                }
                if (underWay == 0) {
                    return;
                }
                write(drawn.take().get());
                underWay--;
                written++;
                show(shard, missing.there + written, written, Duration.between(start, clock.instant()));
            }
        } catch (ExecutionException failed) {
            throw failed.getCause() instanceof CommandFailure told
                    ? told
                    : new CommandFailure(ExitCode.OTHER, "a defect of this client: " + failed.getCause());
        } finally {
            threads.shutdownNow();
        }
    }

    private void show(Shard shard, int done, int written, Duration elapsed) {
        int total = (int) shard.of(settings().identities()).count() * settings().perIdentity();
        progress.step(done, total, elapsed.multipliedBy(total - done).dividedBy(written));
    }

    private Settings settings() {
        return folder.settings();
    }

    /** The pictures of a shard that the folder lacks; an identity's files are looked at when its turn comes. */
    private final class Missing implements Iterator<Place> {
        private final PrimitiveIterator.OfInt identitiesLeft;
        private final List<Place> ofIdentity = new ArrayList<>();
        private int there;

        Missing(Shard shard) {
            identitiesLeft = shard.of(settings().identities()).iterator();
        }

        @Override
        public boolean hasNext() {
            while (ofIdentity.isEmpty() && identitiesLeft.hasNext()) {
                int identity = identitiesLeft.nextInt();
                SortedMap<Integer, Picture> found = pictures(identity);
                there += found.size();
                for (int picture = 0; picture < settings().perIdentity(); picture++) {
                    if (!found.containsKey(picture)) {
                        ofIdentity.add(new Place(identity, picture));
                    }
                }
            }
            return !ofIdentity.isEmpty();
        }

        @Override
        public Place next() {
            return ofIdentity.remove(0);
        }

        private SortedMap<Integer, Picture> pictures(int identity) {
            try {
                return folder.pictures(identity);
            } catch (IOException e) {
                throw new CommandFailure(ExitCode.OTHER, "the data set cannot be read: " + e.getMessage());
            }
        }
    }

    private Drawn draw(Place place) throws InterruptedException {
        GenerateRequest request = request(place);
        PortraitImage image = patience.outlast(() -> portrait(request));
        if (!image.getIdentityScore().hasSimilarity() || image.getBelowMinSimilarity()) {
            return new Drawn(
                    new Picture.Missed(place.identity(), place.picture(), image.getAttempts()), Drawn.NONE, Drawn.NONE);
        }
        byte[] encoded = image.getData().toByteArray();
        List<Point> landmarks = image.getIdentityScore().getFace().getLandmarksList().stream()
                .map(point -> new Point(point.getX(), point.getY()))
                .toList();
        // As portraits are scored; one that its face does not fill has all of the crop inside.
        Pixels crop = Aligner.alignWithinBorder(Drawing.pixels(encoded), landmarks); // [112,112,3]
        byte[] aligned = PictureEncoder.encode(crop, ImageFormat.PNG, 0, XmpPacket.ofPictureWithoutId());
        return new Drawn(kept(place, image, landmarks, encoded, aligned), encoded, aligned);
    }

    private GenerateRequest request(Place place) {
        Settings.Drawing drawing = settings().drawing();
        Embedding.Builder embedding =
                Embedding.newBuilder().setRecogniserId(settings().models().recogniserId());
        for (float value : identities.embeddings().get(place.identity()).values()) {
            embedding.addValues(value);
        }
        GenerateRequest.Builder request = GenerateRequest.newBuilder()
                .setIdentity(IdentitySource.newBuilder().setEmbedding(embedding))
                .setSeed(settings().pictureSeed(place.identity(), place.picture()))
                .setVariant(drawing.variant())
                .setSteps(drawing.steps())
                .setGuidanceScale(drawing.guidanceScale())
                .setGuidanceUntil(drawing.guidanceUntil())
                .setScheduler(drawing.scheduler())
                .setReproducible(drawing.reproducible())
                .setPreviewEvery(0);
        switch (drawing.format()) {
            case "jpeg" ->
                request.setOutputFormat(dev.arc2face.v1.ImageFormat.IMAGE_FORMAT_JPEG)
                        .setJpegQuality(drawing.jpegQuality());
            case "webp" -> request.setOutputFormat(dev.arc2face.v1.ImageFormat.IMAGE_FORMAT_WEBP);
            default -> {} // PNG is the server's own
        }
        Float floor = settings().minSimilarity();
        if (floor != null) {
            request.setMinSimilarity(floor).setMaxAttempts(settings().maxAttempts());
        }
        return request.build();
    }

    private PortraitImage portrait(GenerateRequest request) throws Patience.Passing {
        try {
            Iterator<GenerateResponse> events = session.server().generate(request);
            Optional<PortraitImage> image = Optional.empty();
            while (events.hasNext()) {
                GenerateResponse event = events.next();
                if (event.hasImage()) {
                    image = Optional.of(event.getImage());
                }
            }
            return image.orElseThrow(() ->
                    new CommandFailure(ExitCode.OTHER, "the server ended the stream before the generation was done"));
        } catch (StatusRuntimeException failure) {
            CommandFailure told = session.explain(failure);
            Optional<Duration> retry = Failures.retry(failure);
            if (retry.isEmpty()) {
                throw told;
            }
            session.reconnect();
            throw new Patience.Passing(told, retry.filter(after -> !after.isZero()));
        }
    }

    private Picture.Kept kept(Place place, PortraitImage image, List<Point> landmarks, byte[] encoded, byte[] aligned) {
        List<Float> coordinates = new ArrayList<>();
        landmarks.forEach(point -> {
            coordinates.add(point.x());
            coordinates.add(point.y());
        });
        Settings.Models models = settings().models();
        return new Picture.Kept(
                place.identity(),
                place.picture(),
                folder.imageFile(place.identity(), place.picture()),
                folder.alignedFile(place.identity(), place.picture()),
                Integer.toUnsignedLong(image.getSeed()),
                image.getIdentityScore().getSimilarity(),
                image.getAttempts(),
                List.copyOf(coordinates),
                image.getWidth(),
                image.getHeight(),
                Hashes.sha256(encoded),
                Hashes.sha256(aligned),
                models.recogniserId(),
                models.hash(),
                models.licence(),
                trainingCosines.isEmpty() ? null : trainingCosines.get(place.identity()));
    }

    private void write(Drawn drawn) throws InterruptedException {
        patience.outlast(() -> {
            try {
                if (drawn.picture() instanceof Picture.Kept kept) {
                    folder.keep(kept, drawn.image(), drawn.aligned());
                } else {
                    folder.miss((Picture.Missed) drawn.picture());
                }
                return drawn;
            } catch (IOException e) {
                throw new Patience.Passing(
                        new CommandFailure(ExitCode.OTHER, "the data set cannot be written: " + e.getMessage()),
                        Optional.empty());
            }
        });
    }
}
