package dev.arc2face.gateway.triton;

import static io.grpc.ConnectivityState.READY;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.config.TritonConfig;
import dev.arc2face.inference.GRPCInferenceServiceGrpc;
import dev.arc2face.inference.GRPCInferenceServiceGrpc.GRPCInferenceServiceBlockingStub;
import dev.arc2face.inference.ModelConfigRequest;
import dev.arc2face.inference.ModelMetadataRequest;
import dev.arc2face.inference.ServerMetadataRequest;
import dev.arc2face.inference.ServerMetadataResponse;
import dev.arc2face.inference.ServerReadyRequest;
import io.grpc.ManagedChannel;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;
import org.jboss.logging.Logger;

/**
 * The model server, which may come and go.
 *
 * <ul>
 *   <li>Constructing connects to nothing and cannot fail on Triton's account; one thread watches Triton from then on.
 *   <li>Triton is asked every poll interval, and at once when the connection breaks, whether it is ready and what it
 *       serves: one that comes back with another profile is noticed.
 *   <li>{@link #models()} never waits: it gives the models of the last look, or says what is wrong.
 *   <li>Listeners hear of every change, in order, and of nothing else.
 * </ul>
 */
public final class TritonServer implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger(TritonServer.class);

    /** Is told on the watching thread, which it must not keep. */
    public interface Listener {
        /** Triton is ready: for the first time, again, or with other models than before. */
        void ready(ServedModels models);

        /** Triton is away or breaks the contract: what {@link #models()} throws from now on. */
        void unavailable(FailureException why);
    }

    private sealed interface State {}

    private record Ready(ServedModels models) implements State {}

    private record Unavailable(FailureException why) implements State {}

    /** What Triton says about itself and the contract's models. */
    private record Served(ServerMetadataResponse server, Map<String, Description> models) {}

    /** A channel for messages up to a size. */
    private record Link(ManagedChannel channel, int largestRequest, int largestAnswer) {}

    /** More than any metadata or configuration: the first link is for these alone. */
    private static final int METADATA_BYTES = 256 << 10;
    /** Room beside a message's tensors for their names and shapes. */
    private static final int ENVELOPE_BYTES = 64 << 10;

    private final TritonConfig config;
    private final ScheduledThreadPoolExecutor watch;
    private volatile State state;
    private volatile boolean closed;

    // Only the watching thread touches these.
    private final List<Listener> listeners = new ArrayList<>();
    private Link link;
    private Served served = new Served(ServerMetadataResponse.getDefaultInstance(), Map.of());
    private boolean breakIsReported;

    public TritonServer(TritonConfig config) {
        requirePositive(config.callTimeout(), "call-timeout");
        requirePositive(config.pollInterval(), "poll-interval");
        requirePositive(config.pollTimeout(), "poll-timeout");
        this.config = config;
        this.state = new Unavailable(away("has not been reached yet"));
        this.link = link(METADATA_BYTES, METADATA_BYTES);
        this.watch = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, "triton-watch");
            thread.setDaemon(true);
            return thread;
        });
        // A look that the broken connection asks for may come after close.
        watch.setRejectedExecutionHandler(new ThreadPoolExecutor.DiscardPolicy());
        ScheduledFuture<?> unused = watch.scheduleWithFixedDelay(
                this::look, 0, config.pollInterval().toNanos(), TimeUnit.NANOSECONDS);
    }

    /**
     * The served models, their contract checked.
     *
     * @throws FailureException MODEL_SERVER_UNAVAILABLE or MODEL_CONTRACT_VIOLATED
     */
    public ServedModels models() {
        State now = state;
        if (now instanceof Ready ready) {
            return ready.models;
        }
        FailureException why = ((Unavailable) now).why;
        // A new one: its stack trace is the caller's.
        throw FailureException.of(why.reason(), why.message(), why.metadata());
    }

    /** Whether Triton said at the last look that it is ready, whatever it serves. */
    public boolean isReachable() {
        return !(state instanceof Unavailable now) || now.why.reason() == ErrorReason.MODEL_CONTRACT_VIOLATED;
    }

    /** Tells the listener how things are now, and every change from then on. */
    public void addListener(Listener listener) {
        watch.execute(() -> {
            listeners.add(listener);
            tell(listener, state);
        });
    }

    /** Stops watching and breaks off all calls. */
    @Override
    public void close() {
        closed = true;
        watch.shutdownNow();
        try {
            watch.awaitTermination(config.pollTimeout().toNanos(), TimeUnit.NANOSECONDS);
            link.channel.shutdownNow().awaitTermination(config.pollTimeout().toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** One look at Triton. Whatever happens, there is a next one. */
    private void look() {
        try {
            link.channel.resetConnectBackoff();
            Served now = read(stub(link.channel));
            if (!(state instanceof Ready) || !now.equals(served)) {
                Contract.Checked checked = Contract.check(now.models);
                widen(checked);
                become(new Ready(models(now.server, checked)));
                served = now;
            }
            reportBreak();
        } catch (StatusRuntimeException error) {
            if (error.getStatus().getCode() == Code.DEADLINE_EXCEEDED) {
                link.channel.enterIdle(); // a connection that no longer answers: the next look makes a new one
            }
            become(new Unavailable(away("does not answer: " + error.getStatus().getCode())));
        } catch (FailureException failure) {
            become(new Unavailable(failure));
        } catch (RuntimeException defect) {
            LOG.error("looking at Triton failed", defect);
            become(new Unavailable(FailureException.causedBy(
                    defect, ErrorReason.INTERNAL, "the model server's metadata cannot be read")));
        }
    }

    private Served read(GRPCInferenceServiceBlockingStub triton) {
        requireReady(triton);
        Map<String, Description> models = new HashMap<>();
        for (String model : Contract.MODELS) {
            try {
                models.put(
                        model,
                        new Description(
                                triton.modelMetadata(ModelMetadataRequest.newBuilder()
                                        .setName(model)
                                        .build()),
                                triton.modelConfig(ModelConfigRequest.newBuilder()
                                                .setName(model)
                                                .build())
                                        .getConfig()));
            } catch (StatusRuntimeException error) {
                // What is not there, the contract misses.
                if (error.getStatus().getCode() != Code.NOT_FOUND) {
                    throw error;
                }
            }
        }
        return new Served(triton.serverMetadata(ServerMetadataRequest.getDefaultInstance()), Map.copyOf(models));
    }

    private static void requireReady(GRPCInferenceServiceBlockingStub triton) {
        if (!triton.serverReady(ServerReadyRequest.getDefaultInstance()).getReady()) {
            throw away("is not ready");
        }
    }

    /** Sees to it that the link takes the models' largest messages; the one before it finishes its calls. */
    private void widen(Contract.Checked checked) {
        int request = largest(checked, Signature::largestRequest);
        int answer = largest(checked, Signature::largestAnswer);
        if (request <= link.largestRequest && answer <= link.largestAnswer) {
            return;
        }
        Link wider = link(Math.max(request, link.largestRequest), Math.max(answer, link.largestAnswer));
        try {
            requireReady(stub(wider.channel));
        } catch (RuntimeException error) {
            wider.channel.shutdownNow();
            throw error;
        }
        link.channel.shutdown();
        link = wider;
        breakIsReported = false;
    }

    private static int largest(Contract.Checked checked, ToLongFunction<Signature> tensors) {
        long bytes =
                checked.signatures().values().stream().mapToLong(tensors).max().orElse(0);
        return (int) Math.min(Integer.MAX_VALUE, bytes + ENVELOPE_BYTES);
    }

    /**
     * A window as large as the largest answer: none waits for the reader's leave. And room to keep every request until
     * Triton has begun to answer it: grpc-java sends one again that no server has seen, but gives up on those above
     * 1 MiB, or above 16 MiB in all, unless told otherwise. No memory is lost, since the caller keeps its request, too.
     */
    private Link link(int largestRequest, int largestAnswer) {
        ManagedChannel channel = NettyChannelBuilder.forTarget(config.target())
                .usePlaintext()
                .maxInboundMessageSize(largestAnswer)
                .flowControlWindow(Math.max(largestAnswer, NettyChannelBuilder.DEFAULT_FLOW_CONTROL_WINDOW))
                .perRpcBufferLimit(largestRequest)
                .retryBufferSize(Long.MAX_VALUE)
                .build();
        return new Link(channel, largestRequest, largestAnswer);
    }

    private GRPCInferenceServiceBlockingStub stub(ManagedChannel channel) {
        return GRPCInferenceServiceGrpc.newBlockingStub(channel)
                .withDeadlineAfter(config.pollTimeout().toNanos(), TimeUnit.NANOSECONDS);
    }

    private ServedModels models(ServerMetadataResponse server, Contract.Checked checked) {
        Connection connection = new Connection(link.channel, config.callTimeout());
        return new ServedModels(
                new Model(checked.signature(Contract.FACE_DETECTOR), connection),
                new Model(checked.signature(Contract.ARCFACE), connection),
                new Model(checked.signature(Contract.ENCODER), connection),
                new Model(checked.signature(Contract.UNET), connection),
                checked.optionalSignature(Contract.UNET_GUIDED).map(signature -> new Model(signature, connection)),
                checked.optionalSignature(Contract.UNET_LCM).map(signature -> new Model(signature, connection)),
                new Model(checked.signature(Contract.VAE_DECODER), connection),
                server.getName(),
                server.getVersion(),
                checked.sizes());
    }

    /** Has the connection's end cause a look: not the next call shall find out. */
    private void reportBreak() {
        if (!breakIsReported) {
            breakIsReported = true;
            ManagedChannel channel = link.channel;
            channel.notifyWhenStateChanged(
                    READY,
                    () -> watch.execute(() -> {
                        if (channel == link.channel) {
                            breakIsReported = false;
                            look();
                        }
                    }));
        }
    }

    private void become(State next) {
        if (closed || sameFailure(state, next)) {
            return;
        }
        if (next instanceof Ready ready) {
            LOG.infof(
                    "Triton %s at %s is ready: %s",
                    ready.models.serverVersion(), config.target(), ready.models.sizes());
        } else if (next instanceof Unavailable unavailable) {
            LOG.warnf("%s: %s", unavailable.why.reason(), unavailable.why.message());
        }
        state = next;
        listeners.forEach(listener -> tell(listener, next));
    }

    private static boolean sameFailure(State before, State next) {
        return before instanceof Unavailable last
                && next instanceof Unavailable now
                && last.why.reason() == now.why.reason()
                && last.why.message().equals(now.why.message());
    }

    /** A listener's failure is its own: the watch goes on, and the others are told. */
    private static void tell(Listener listener, State state) {
        try {
            if (state instanceof Ready ready) {
                listener.ready(ready.models);
            } else if (state instanceof Unavailable unavailable) {
                listener.unavailable(unavailable.why);
            }
        } catch (RuntimeException defect) {
            LOG.error("a listener of the model server failed", defect);
        }
    }

    private static FailureException away(String what) {
        return FailureException.of(ErrorReason.MODEL_SERVER_UNAVAILABLE, "the model server " + what);
    }

    private static void requirePositive(Duration duration, String key) {
        if (duration.isZero() || duration.isNegative()) {
            throw new IllegalArgumentException("arc2face.triton." + key + " must be positive, not " + duration);
        }
    }
}
