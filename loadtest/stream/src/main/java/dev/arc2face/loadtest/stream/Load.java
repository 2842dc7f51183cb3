package dev.arc2face.loadtest.stream;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** The options that say how many calls there are, when, and for how long. */
final class Load {
    @Option(
            names = "--target",
            paramLabel = "HOST:PORT",
            defaultValue = "${env:ARC2FACE_TARGET:-127.0.0.1:9090}",
            description = "The gateway (default: $ARC2FACE_TARGET, else 127.0.0.1:9090).")
    String target = "127.0.0.1:9090";

    @ArgGroup
    Loop loop = new Loop();

    /** Open or closed. */
    static final class Loop {
        @Option(
                names = "--rate",
                paramLabel = "R",
                description = "Open loop: R requests a second, whatever becomes of them.")
        @Nullable
        Double rate;

        @Option(
                names = "--callers",
                paramLabel = "N",
                defaultValue = "1",
                description = "Closed loop: N callers, one call at a time each (default: ${DEFAULT-VALUE}).")
        int callers = 1;
    }

    @Option(
            names = "--arrivals",
            paramLabel = "KIND",
            defaultValue = "poisson",
            description = "With --rate: poisson or fixed (default: ${DEFAULT-VALUE}).")
    Arrivals.Kind arrivals = Arrivals.Kind.POISSON;

    @Option(
            names = "--duration",
            paramLabel = "TIME",
            converter = Durations.Converter.class,
            description = "Measure calls that are meant to start within this long (default: 30s, without --requests).")
    @Nullable
    Duration duration;

    @Option(
            names = "--requests",
            paramLabel = "N",
            description = "No more than N requests in all, those of the warm-up included.")
    @Nullable
    Long requests;

    @Option(
            names = "--warm-up",
            paramLabel = "TIME",
            defaultValue = "0",
            converter = Durations.Converter.class,
            description = "Before that, load for this long without measuring (default: ${DEFAULT-VALUE}).")
    Duration warmUp = Duration.ZERO;

    @Option(
            names = "--drain",
            paramLabel = "TIME",
            defaultValue = "2m",
            converter = Durations.Converter.class,
            description = "At the end, wait this long for what is still open (default: ${DEFAULT-VALUE}).")
    Duration drain = Duration.ofMinutes(2);

    @Option(
            names = "--connections",
            paramLabel = "N",
            defaultValue = "1",
            description = "Connections that the calls share in turn (default: ${DEFAULT-VALUE}).")
    int connections = 1;

    @Option(
            names = "--slow-readers",
            paramLabel = "N",
            defaultValue = "0",
            description = "Besides, N callers who hardly read, each on a connection of its own (default: none).")
    int slowReaders;

    @Option(
            names = "--slow-read-every",
            paramLabel = "TIME",
            defaultValue = "1s",
            converter = Durations.Converter.class,
            description = "How often these read one event (default: ${DEFAULT-VALUE}).")
    Duration slowReadEvery = Duration.ofSeconds(1);

    @Option(
            names = "--idle-streams",
            paramLabel = "N",
            defaultValue = "0",
            description = "Besides, N open calls that ask for nothing (default: none).")
    int idleStreams;

    @Option(
            names = "--idle-kind",
            paramLabel = "KIND",
            defaultValue = "headers",
            description = "headers: their request never comes; unread: their answer is never read (default: headers).")
    IdleStreams.Kind idleKind = IdleStreams.Kind.HEADERS;

    /** How long to measure; null is until the requests are used up. */
    @Nullable
    Duration measured() {
        return duration == null && requests == null ? Duration.ofSeconds(30) : duration;
    }

    long mostRequests() {
        return requests == null ? Long.MAX_VALUE : requests;
    }
}
