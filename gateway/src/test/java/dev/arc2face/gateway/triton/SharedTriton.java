package dev.arc2face.gateway.triton;

import static org.awaitility.Awaitility.await;

import dev.arc2face.inference.GRPCInferenceServiceGrpc;
import dev.arc2face.inference.ModelStatistics;
import dev.arc2face.inference.ModelStatisticsRequest;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The one real Triton of a test run: started by the first test that needs it, stopped when the JVM ends. Tests that
 * break things start a {@link TritonProcess} of their own.
 */
public final class SharedTriton {
    /** Quarkus loads test classes more than once; the JVM's properties are there once. */
    private static final String TARGET = "arc2face.test.triton.target";

    private static final Duration SETTLING = Duration.ofMillis(50);

    private static SharedTriton instance;

    private final String target;
    private final ManagedChannel channel;
    private final TritonServer server;

    private SharedTriton(String target) {
        this.target = target;
        this.channel = NettyChannelBuilder.forTarget(target).usePlaintext().build();
        this.server = new TritonServer(TestConfig.triton(target));
    }

    /** Starts it if need be. */
    public static synchronized SharedTriton get() {
        if (instance == null) {
            String target = System.getProperty(TARGET);
            if (target == null) {
                TritonProcess process = new TritonProcess();
                Runtime.getRuntime().addShutdownHook(new Thread(process::close));
                target = process.target();
                System.setProperty(TARGET, target);
            }
            instance = new SharedTriton(target);
        }
        return instance;
    }

    /** Its gRPC address: host:port. */
    public String target() {
        return target;
    }

    /** The gateway's view of it. */
    public TritonServer server() {
        return server;
    }

    /** Its models, their contract checked. */
    public ServedModels models() {
        return Await.ready(server);
    }

    /**
     * What has reached a model, once the numbers stand still: Triton counts a request a moment after its answer. For
     * times when nobody calls the model.
     */
    public Counters settledCounters(String model) {
        AtomicReference<Counters> last = new AtomicReference<>();
        await().pollDelay(Duration.ZERO).pollInterval(SETTLING).until(() -> {
            Counters now = counters(model);
            return now.equals(last.getAndSet(now));
        });
        return last.get();
    }

    /** What has reached a model up to now. */
    public Counters counters(String model) {
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
