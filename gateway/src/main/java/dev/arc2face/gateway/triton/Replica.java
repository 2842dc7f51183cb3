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
import dev.arc2face.inference.ServerReadyRequest;
import io.grpc.ChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.ToLongFunction;
import org.jboss.logging.Logger;

/**
 * One Triton, looked at by a thread of its own: every poll interval, and at once when its connection breaks, whether it
 * is ready and what it serves. Whatever happens to a look, there is a next one, and each is told.
 */
final class Replica implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger(Replica.class);

    /** What a look saw. */
    sealed interface Sight {}

    /** It is ready, and keeps the contract. */
    record Up(Served served, Contract.Checked checked) implements Sight {}

    /** It is away, not ready, or breaks the contract. */
    record Down(FailureException why) implements Sight {}

    /** A channel for messages up to a size. */
    private record Link(ManagedChannel channel, int largestRequest, int largestAnswer) {}

    /** More than any metadata or configuration: the first link is for these alone. */
    private static final int METADATA_BYTES = 256 << 10;
    /** Room beside a message's tensors for their names and shapes. */
    private static final int ENVELOPE_BYTES = 64 << 10;

    private final Addresses.Address address;
    private final TritonConfig config;
    private final ChannelCredentials credentials;
    private final BiConsumer<Replica, Sight> looked;
    private final Endpoint endpoint;
    private final Daemon watch;

    // Only the watching thread touches these, and close() when that has ended.
    private Link link;
    private Sight sight = new Down(away("has not been reached yet"));
    private boolean breakIsReported;
    private boolean retired;

    /**
     * Connects to nothing yet.
     *
     * @param looked told on the watching thread
     */
    Replica(
            Addresses.Address address,
            TritonConfig config,
            ChannelCredentials credentials,
            BiConsumer<Replica, Sight> looked) {
        this.address = address;
        this.config = config;
        this.credentials = credentials;
        this.looked = looked;
        this.link = link(METADATA_BYTES, METADATA_BYTES);
        this.endpoint = new Endpoint(address.target(), link.channel);
        this.watch =
                new Daemon("triton-watch-" + address.target()); // a look that a broken connection asks for may be late
    }

    /** The looks begin. */
    void watch() {
        ScheduledFuture<?> unused = watch.scheduleWithFixedDelay(
                this::look, 0, config.pollInterval().toNanos(), TimeUnit.NANOSECONDS);
    }

    String target() {
        return address.target();
    }

    Endpoint endpoint() {
        return endpoint;
    }

    /** Stops watching; calls that are under way may end. */
    void retire() {
        watch.execute(() -> {
            retired = true;
            link.channel.shutdown();
            watch.shutdown();
        });
    }

    /**
     * Stops watching and begins no call. What nobody waits for any more may be answered yet, for as long as a look may
     * take, as Triton minds when a call is broken off (see {@link InferCall}); then all calls are.
     */
    @Override
    public void close() {
        watch.shutdownNow();
        try {
            watch.awaitTermination(config.pollTimeout().toNanos(), TimeUnit.NANOSECONDS);
            if (!link.channel.shutdown().awaitTermination(config.pollTimeout().toNanos(), TimeUnit.NANOSECONDS)) {
                link.channel.shutdownNow().awaitTermination(config.pollTimeout().toNanos(), TimeUnit.NANOSECONDS);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void look() {
        if (retired) {
            return;
        }
        sight = see();
        looked.accept(this, sight);
    }

    private Sight see() {
        try {
            link.channel.resetConnectBackoff();
            Served now = read(stub(link.channel));
            if (!(sight instanceof Up up) || !now.equals(up.served)) {
                Contract.Checked checked = Contract.check(now.models());
                widen(checked);
                reportBreak();
                return new Up(now, checked);
            }
            reportBreak();
            return up;
        } catch (StatusRuntimeException error) {
            if (error.getStatus().getCode() == Code.DEADLINE_EXCEEDED) {
                link.channel.enterIdle(); // a connection that no longer answers: the next look makes a new one
            }
            return new Down(away("does not answer: " + error.getStatus().getCode()));
        } catch (FailureException failure) {
            return new Down(failure);
        } catch (RuntimeException defect) {
            LOG.error("looking at Triton failed", defect);
            return new Down(FailureException.causedBy(
                    defect, ErrorReason.INTERNAL, "the model server's metadata cannot be read"));
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
        endpoint.moveTo(wider.channel);
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
        NettyChannelBuilder channel = NettyChannelBuilder.forTarget(address.target(), credentials)
                .maxInboundMessageSize(largestAnswer)
                .flowControlWindow(Math.max(largestAnswer, NettyChannelBuilder.DEFAULT_FLOW_CONTROL_WINDOW))
                .perRpcBufferLimit(largestRequest)
                .retryBufferSize(Long.MAX_VALUE);
        address.authority().ifPresent(channel::overrideAuthority);
        return new Link(channel.build(), largestRequest, largestAnswer);
    }

    private GRPCInferenceServiceBlockingStub stub(ManagedChannel channel) {
        return GRPCInferenceServiceGrpc.newBlockingStub(channel)
                .withDeadlineAfter(config.pollTimeout().toNanos(), TimeUnit.NANOSECONDS);
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

    static FailureException away(String what) {
        return FailureException.of(ErrorReason.MODEL_SERVER_UNAVAILABLE, "the model server " + what);
    }
}
