package dev.arc2face.loadtest.stream;

import static java.util.concurrent.TimeUnit.SECONDS;

import dev.arc2face.v1.GetModelInfoRequest;
import dev.arc2face.v1.GetModelInfoResponse;
import dev.arc2face.v1.PortraitServiceGrpc;
import io.grpc.Channel;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Several connections to one gateway, taken in turn. All are up before the constructor returns. Calls are answered on the
 * event loops themselves: nothing that a call does here may block.
 */
final class Connections implements AutoCloseable {
    private static final long FIRST_ANSWER_SECONDS = 30;
    /** The transport's own, which it widens by itself. */
    private static final int USUAL_WINDOW = 0;
    /** A wider one takes most streams whole, so that the server would not notice that nobody reads. */
    private static final int SMALL_WINDOW = 1024;

    private final List<ManagedChannel> channels;
    private final GetModelInfoResponse served;

    /** @throws io.grpc.StatusRuntimeException where the gateway does not answer */
    Connections(String target, int count) {
        this(target, count, USUAL_WINDOW);
    }

    private Connections(String target, int count, int window) {
        if (count < 1) {
            throw new IllegalArgumentException(count + " connections");
        }
        channels =
                IntStream.range(0, count).mapToObj(i -> channel(target, window)).toList();
        try {
            served = channels.stream().map(Connections::ask).toList().get(0);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** For callers that do not read: what the server has sent and nobody has read is soon as much as it may send. */
    static Connections ofSlowReaders(String target, int count) {
        return new Connections(target, count, SMALL_WINDOW);
    }

    Channel channel(long index) {
        return channels.get((int) (index % channels.size()));
    }

    GetModelInfoResponse served() {
        return served;
    }

    @Override
    public void close() {
        channels.forEach(ManagedChannel::shutdownNow);
    }

    private static ManagedChannel channel(String target, int window) {
        NettyChannelBuilder channel =
                NettyChannelBuilder.forTarget(target).usePlaintext().directExecutor();
        return (window == USUAL_WINDOW ? channel : channel.flowControlWindow(window)).build();
    }

    private static GetModelInfoResponse ask(ManagedChannel channel) {
        return PortraitServiceGrpc.newBlockingStub(channel)
                .withWaitForReady()
                .withDeadlineAfter(FIRST_ANSWER_SECONDS, SECONDS)
                .getModelInfo(GetModelInfoRequest.getDefaultInstance());
    }
}
