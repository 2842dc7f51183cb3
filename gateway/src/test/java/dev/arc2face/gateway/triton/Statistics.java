package dev.arc2face.gateway.triton;

import static dev.arc2face.gateway.Waiting.await;

import dev.arc2face.inference.GRPCInferenceServiceGrpc;
import dev.arc2face.inference.ModelStatistics;
import dev.arc2face.inference.ModelStatisticsRequest;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;

/** What a Triton counts. */
public final class Statistics implements AutoCloseable {
    private static final Duration SETTLING = Duration.ofMillis(50);

    private final ManagedChannel channel;

    /** @param target its gRPC address */
    public Statistics(String target) {
        channel = NettyChannelBuilder.forTarget(target).usePlaintext().build();
    }

    /**
     * What has reached a model, once the numbers stand still: Triton counts a request a moment after its answer. For
     * times when nobody calls the model.
     */
    public Counters settled(String model) {
        AtomicReference<Counters> last = new AtomicReference<>();
        await().pollDelay(Duration.ZERO).pollInterval(SETTLING).until(() -> {
            Counters now = of(model);
            return now.equals(last.getAndSet(now));
        });
        return last.get();
    }

    /** What has reached a model up to now. */
    public Counters of(String model) {
        ModelStatistics statistics = GRPCInferenceServiceGrpc.newBlockingStub(channel)
                .modelStatistics(
                        ModelStatisticsRequest.newBuilder().setName(model).build())
                .getModelStats(0);
        return new Counters(
                statistics.getInferenceCount(),
                statistics.getExecutionCount(),
                statistics.getInferenceStats().getSuccess().getCount(),
                statistics.getInferenceStats().getFail().getCount());
    }

    @Override
    public void close() {
        channel.shutdownNow();
    }

    /**
     * A model's counters since Triton started.
     *
     * @param rows rows answered
     * @param executions runs of the model: requests that were batched count one
     * @param succeeded requests answered
     * @param failed requests failed or cancelled
     */
    public record Counters(long rows, long executions, long succeeded, long failed) {
        public Counters since(Counters before) {
            return new Counters(
                    rows - before.rows,
                    executions - before.executions,
                    succeeded - before.succeeded,
                    failed - before.failed);
        }
    }
}
