package dev.arc2face.gateway.cli;

import dev.arc2face.v1.PortraitServiceGrpc;
import dev.arc2face.v1.PortraitServiceGrpc.PortraitServiceBlockingStub;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import picocli.CommandLine.Option;

/** The options that say which server is called and for how long, and the call itself. */
final class Connection {
    static final String DEFAULT_TARGET = "127.0.0.1:9090";

    @Option(
            names = "--target",
            paramLabel = "HOST:PORT",
            defaultValue = "${env:ARC2FACE_TARGET:-" + DEFAULT_TARGET + "}",
            description = "The server (default: $ARC2FACE_TARGET, else " + DEFAULT_TARGET + ").")
    String target = DEFAULT_TARGET;

    @Option(
            names = "--deadline",
            paramLabel = "TIME",
            defaultValue = "10m",
            converter = Durations.Converter.class,
            description = "Give up after this long: 500ms, 90s, 2m, 1h (default: ${DEFAULT-VALUE}).")
    Duration deadline = Duration.ofMinutes(10);

    /**
     * Runs a call, or several, against the server. An interrupt cancels the call that is under way.
     *
     * @throws CommandFailure where the call fails
     */
    <T> T call(Function<PortraitServiceBlockingStub, T> calls) {
        ManagedChannel channel = channel();
        try {
            return calls.apply(PortraitServiceGrpc.newBlockingStub(channel)
                    .withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS));
        } catch (StatusRuntimeException e) {
            if (e.getStatus().getCode() == Status.Code.CANCELLED
                    && Thread.currentThread().isInterrupted()) {
                throw new CommandFailure(ExitCode.INTERRUPTED, "interrupted; the call is cancelled");
            }
            throw Failures.explain(e, target);
        } finally {
            close(channel);
        }
    }

    private ManagedChannel channel() {
        try {
            return NettyChannelBuilder.forTarget(target).usePlaintext().build();
        } catch (IllegalArgumentException e) {
            throw new CommandFailure(ExitCode.USAGE, "'" + target + "' is no HOST:PORT");
        }
    }

    /** Lets a cancellation reach the server before the process ends. */
    private static void close(ManagedChannel channel) {
        boolean interrupted = Thread.interrupted();
        channel.shutdown();
        try {
            if (!channel.awaitTermination(1, TimeUnit.SECONDS)) {
                channel.shutdownNow();
            }
        } catch (InterruptedException e) {
            channel.shutdownNow();
            interrupted = true;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
