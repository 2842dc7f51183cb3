package dev.arc2face.gateway.cli;

import dev.arc2face.v1.PortraitServiceGrpc;
import dev.arc2face.v1.PortraitServiceGrpc.PortraitServiceBlockingStub;
import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
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

    @Option(names = "--tls", description = "Encrypt the connection; implied by the other --tls options.")
    boolean tls;

    @Option(
            names = "--tls-ca",
            paramLabel = "FILE",
            defaultValue = "${env:ARC2FACE_TLS_CA}",
            description = "Roots of the server's certificate, PEM (default: $ARC2FACE_TLS_CA, else those of the JVM).")
    @Nullable
    Path tlsCa;

    @Option(
            names = "--tls-certificate",
            paramLabel = "FILE",
            description = "The client's own certificate, PEM, where the server asks for one.")
    @Nullable
    Path tlsCertificate;

    @Option(names = "--tls-key", paramLabel = "FILE", description = "The private key of that certificate, PKCS#8 PEM.")
    @Nullable
    Path tlsKey;

    /** Not an option: whoever lists processes would see it. */
    private static final String API_KEY = "ARC2FACE_API_KEY";

    private static final String TOKEN = "ARC2FACE_TOKEN";

    /** Calls by way of one channel, by any number of threads. */
    final class Session {
        private final ManagedChannel channel;

        private Session(ManagedChannel channel) {
            this.channel = channel;
        }

        /** The server for one call: its deadline begins now. */
        PortraitServiceBlockingStub server() {
            return PortraitServiceGrpc.newBlockingStub(channel)
                    .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(credentials(System.getenv())))
                    .withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS);
        }

        /** Tells a failed call in a sentence. */
        CommandFailure explain(StatusRuntimeException failure) {
            return Failures.explain(failure, target);
        }

        /** Looks for a server that was away at the next call, and not when gRPC would. */
        void reconnect() {
            channel.resetConnectBackoff();
        }
    }

    /**
     * Runs a call against the server. An interrupt cancels it.
     *
     * @throws CommandFailure where the call fails
     */
    <T> T call(Function<PortraitServiceBlockingStub, T> call) {
        return session(session -> call.apply(session.server()));
    }

    /**
     * Runs calls against the server. An interrupt cancels the one that is under way.
     *
     * @throws CommandFailure where one fails
     */
    <T> T session(Function<Session, T> calls) {
        ManagedChannel channel = channel();
        try {
            return calls.apply(new Session(channel));
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
        ChannelCredentials encryption = encryption();
        try {
            return NettyChannelBuilder.forTarget(target, encryption).build();
        } catch (IllegalArgumentException e) {
            throw new CommandFailure(ExitCode.USAGE, "'" + target + "' is no HOST:PORT");
        }
    }

    private ChannelCredentials encryption() {
        if (!tls && tlsCa == null && tlsCertificate == null && tlsKey == null) {
            return InsecureChannelCredentials.create();
        }
        if ((tlsCertificate == null) != (tlsKey == null)) {
            throw new CommandFailure(ExitCode.USAGE, "--tls-certificate and --tls-key go together");
        }
        TlsChannelCredentials.Builder credentials = TlsChannelCredentials.newBuilder();
        try {
            if (tlsCa != null) {
                credentials.trustManager(tlsCa.toFile());
            }
            if (tlsCertificate != null && tlsKey != null) {
                credentials.keyManager(tlsCertificate.toFile(), tlsKey.toFile());
            }
        } catch (IOException e) {
            throw new CommandFailure(ExitCode.USAGE, "cannot be read: " + e.getMessage());
        }
        return credentials.build();
    }

    /** What shows the server who calls, from the environment: $ARC2FACE_API_KEY or $ARC2FACE_TOKEN. */
    static Metadata credentials(Map<String, String> environment) {
        Metadata metadata = new Metadata();
        String key = environment.get(API_KEY);
        if (key != null) {
            metadata.put(Metadata.Key.of("x-api-key", Metadata.ASCII_STRING_MARSHALLER), key);
        }
        String token = environment.get(TOKEN);
        if (token != null) {
            metadata.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + token);
        }
        return metadata;
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
