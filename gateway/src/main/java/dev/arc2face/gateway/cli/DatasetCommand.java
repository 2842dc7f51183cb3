package dev.arc2face.gateway.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.arc2face.gateway.dataset.DatasetException;
import dev.arc2face.gateway.dataset.DatasetFolder;
import dev.arc2face.gateway.dataset.EmbeddingSet;
import dev.arc2face.gateway.dataset.EmbeddingsFile;
import dev.arc2face.gateway.dataset.Gallery;
import dev.arc2face.gateway.dataset.Identities;
import dev.arc2face.gateway.dataset.IdentityPrior;
import dev.arc2face.gateway.dataset.Settings;
import dev.arc2face.gateway.dataset.Shard;
import dev.arc2face.gateway.dataset.Summary;
import dev.arc2face.v1.GetModelInfoRequest;
import dev.arc2face.v1.GetModelInfoResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ScheduledExecutorService;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

@Command(
        name = "dataset",
        description = {
            "Makes a data set of people who do not exist: identities away from each other, several pictures of each, the"
                    + " aligned crops, a manifest.",
            "The same command goes on where it was interrupted; the same seed and options give the same data set."
        })
final class DatasetCommand implements Callable<Integer> {
    private static final InstantSource CLOCK = InstantSource.system();

    private final Terminal terminal;

    @Option(names = "--identities", paramLabel = "N", required = true, description = "Number of identities.")
    private int identities;

    @Option(names = "--per-identity", paramLabel = "N", required = true, description = "Pictures of each identity.")
    private int perIdentity;

    @Option(
            names = {"-o", "--out"},
            paramLabel = "DIR",
            required = true,
            description = "The data set's folder.")
    @SuppressWarnings("NullAway.Init")
    private Path out;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "0",
            converter = UnsignedInt.class,
            description = "What all identities and pictures follow from (default: ${DEFAULT-VALUE}).")
    private int seed;

    @Option(
            names = "--shard",
            paramLabel = "I/N",
            defaultValue = "1/1",
            converter = ShardConverter.class,
            description = "Make only each N-th identity, from the I-th on; in a folder of its own (default: all).")
    private Shard shard = Shard.WHOLE;

    @Option(
            names = "--prior",
            paramLabel = "FILE",
            description =
                    "The distribution of identities, as `python -m training.identity_prior` writes it (default: the one"
                            + " that this client has for the server's recogniser).")
    private @Nullable Path prior;

    @Option(
            names = "--min-angle",
            paramLabel = "DEGREES",
            defaultValue = "60",
            description =
                    "Least angle between two identities, and to those of --away-from (default: ${DEFAULT-VALUE}).")
    private double minAngle;

    @Option(
            names = "--away-from",
            paramLabel = "FILE",
            description =
                    "People to stay away from: embeddings (.npy [N,D], or .json of `embed`), a photo, or a folder of"
                            + " these. May be given several times.")
    private List<Path> awayFrom = List.of();

    @Option(
            names = "--training",
            paramLabel = "FILE",
            description = "Leakage check: tell each identity's largest cosine to these embeddings (.npy [N,D]).")
    private @Nullable Path training;

    @Option(
            names = "--min-similarity",
            paramLabel = "COSINE",
            description = "Least similarity of a picture to its identity; 0 keeps any that shows a face (default: the"
                    + " recogniser's threshold for one person).")
    private @Nullable Float minSimilarity;

    @Option(
            names = "--max-attempts",
            paramLabel = "N",
            defaultValue = "4",
            description = "Seeds that are tried for a picture (default: ${DEFAULT-VALUE}).")
    private int maxAttempts;

    @Mixin
    private DrawingOptions drawing = new DrawingOptions();

    @Option(
            names = "--concurrency",
            paramLabel = "N",
            defaultValue = "4",
            description = "Pictures that are drawn at a time (default: ${DEFAULT-VALUE}).")
    private int concurrency;

    @Option(
            names = "--patience",
            paramLabel = "TIME",
            defaultValue = "10m",
            converter = Durations.Converter.class,
            description = "Go on trying for this long while the server is away or full, or the disk is full (default:"
                    + " ${DEFAULT-VALUE}).")
    private Duration patience = Duration.ofMinutes(10);

    @Mixin
    private Connection connection = new Connection();

    @Option(names = "--json", description = "Print the summary as a line of JSON.")
    private boolean json;

    static final class ShardConverter implements ITypeConverter<Shard> {
        private static final Pattern WRITTEN = Pattern.compile("(\\d{1,6})/(\\d{1,6})");

        @Override
        public Shard convert(String text) {
            Matcher matcher = WRITTEN.matcher(text);
            try {
                if (matcher.matches()) {
                    return new Shard(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)));
                }
            } catch (IllegalArgumentException outside) {
                // As if it were not a shard at all.
            }
            throw new TypeConversionException("'" + text + "' is no shard such as 1/4, 2/4, 3/4 or 4/4");
        }
    }

    DatasetCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        requirePossible();
        return connection.session(this::make);
    }

    private void requirePossible() {
        require(identities >= 1, "--identities is 1 or more");
        require(perIdentity >= 1, "--per-identity is 1 or more");
        require(minAngle > 0 && minAngle < 180, "--min-angle is above 0 and below 180 degrees");
        require(minSimilarity == null || (minSimilarity >= 0 && minSimilarity <= 1), "--min-similarity is from 0 to 1");
        require(maxAttempts >= 1 && maxAttempts <= 16, "--max-attempts is from 1 to 16");
        require(concurrency >= 1 && concurrency <= 1024, "--concurrency is from 1 to 1024");
    }

    private static void require(boolean condition, String otherwise) {
        if (!condition) {
            throw new CommandFailure(ExitCode.USAGE, otherwise);
        }
    }

    /** Prior and given people -> identities -> pictures -> manifest and card. */
    private int make(Connection.Session session) {
        GetModelInfoResponse info = session.server().getModelInfo(GetModelInfoRequest.getDefaultInstance());
        IdentityPrior distribution = prior(info);
        GivenPeople given = new GivenPeople(session, info);
        awayFrom.forEach(given::read);
        Identities people =
                Identities.draw(distribution, identities, minAngle, Integer.toUnsignedLong(seed), given.gallery());
        EmbeddingSet.Builder trained = new EmbeddingSet.Builder();
        List<Float> trainingCosines = trainingCosines(people, trained);
        Float floor = minSimilarity != null ? minSimilarity : Float.valueOf(info.getSamePersonThreshold());
        Settings settings = new Settings(
                identities,
                perIdentity,
                Integer.toUnsignedLong(seed),
                minAngle,
                floor > 0 ? floor : null,
                floor > 0 ? maxAttempts : 1,
                drawing.resolve(info),
                drawing.models(info),
                distribution.sha256(),
                awayFrom.isEmpty() ? null : given.remembered(),
                training == null ? null : trained.build());
        try (DatasetFolder folder = new DatasetFolder(out, settings)) {
            folder.writeIdentities(people.embeddings());
            drawPictures(session, folder, people, trainingCosines);
            tell(folder.finish(shard, people));
            return ExitCode.OK.number();
        } catch (IOException e) {
            throw new CommandFailure(ExitCode.OTHER, "the data set cannot be written: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CommandFailure(ExitCode.INTERRUPTED, "interrupted; the same command goes on from here");
        }
    }

    private IdentityPrior prior(GetModelInfoResponse info) {
        IdentityPrior read = readPrior(info.getRecogniserId());
        if (!read.recogniserId().equals(info.getRecogniserId()) || read.embeddingSize() != info.getEmbeddingSize()) {
            throw new DatasetException(
                    DatasetException.Problem.PRIOR_OF_OTHER_RECOGNISER,
                    "the identity prior was fitted to " + read.embeddingSize() + " values of " + read.recogniserId()
                            + ", and the server has " + info.getEmbeddingSize() + " of " + info.getRecogniserId());
        }
        return read;
    }

    private IdentityPrior readPrior(String recogniserId) {
        try {
            if (prior != null) {
                return IdentityPrior.read(prior.toString(), Files.readAllBytes(prior));
            }
            try (InputStream bundled = DatasetCommand.class.getResourceAsStream(bundledPrior(recogniserId))) {
                if (bundled == null) {
                    throw new CommandFailure(
                            ExitCode.BAD_INPUT,
                            "this client has no identity prior for " + recogniserId
                                    + "; make one with `python -m training.identity_prior` and name it with --prior FILE");
                }
                return IdentityPrior.read("the identity prior for " + recogniserId, bundled.readAllBytes());
            }
        } catch (IOException e) {
            throw new CommandFailure(ExitCode.BAD_INPUT, "cannot read the identity prior: " + e.getMessage());
        }
    }

    /** Where the jar has the prior for a recogniser; an id that is no file name has none. */
    private static String bundledPrior(String recogniserId) {
        return "/identity-priors/" + recogniserId.replaceAll("[^A-Za-z0-9._-]", "_") + ".npz";
    }

    private List<Float> trainingCosines(Identities people, EmbeddingSet.Builder trained) {
        if (training == null) {
            return List.of();
        }
        int size = people.embeddings().get(0).size();
        Gallery gallery = new Gallery(size);
        people.embeddings().forEach(gallery::add);
        float[] largest = new float[people.embeddings().size()];
        Arrays.fill(largest, -1);
        EmbeddingsFile.read(training, size, embedding -> {
            trained.add(embedding);
            gallery.raise(largest, embedding);
        });
        List<Float> cosines = new ArrayList<>();
        for (float cosine : largest) {
            cosines.add(cosine);
        }
        return cosines;
    }

    private void drawPictures(
            Connection.Session session, DatasetFolder folder, Identities people, List<Float> trainingCosines)
            throws InterruptedException {
        PrintStream err = json ? new PrintStream(OutputStream.nullOutputStream(), false, UTF_8) : terminal.err();
        try (ProgressDisplay progress = new ProgressDisplay(err, terminal.live(), CLOCK, "picture")) {
            Patience waiting = new Patience(patience, CLOCK, notice -> progress.above(() -> err.println(notice)));
            ScheduledExecutorService ticker = progress.ticker();
            try {
                new DatasetRun(session, folder, people, trainingCosines, waiting, progress, CLOCK)
                        .run(shard, concurrency);
            } finally {
                ticker.shutdownNow();
            }
        }
    }

    private void tell(Summary summary) {
        if (json) {
            terminal.out().println(summary.line());
            return;
        }
        terminal.out()
                .println(out + ": " + summary.pictures() + " pictures of " + summary.identities() + " identities, "
                        + summary.missed() + " missed" + cosine(", mean similarity ", summary.meanSimilarity())
                        + cosine(", largest cosine to a training identity ", summary.trainingCosine()));
    }

    private static String cosine(String name, @Nullable Double value) {
        return value == null ? "" : name + String.format(Locale.ROOT, "%.3f", value);
    }
}
