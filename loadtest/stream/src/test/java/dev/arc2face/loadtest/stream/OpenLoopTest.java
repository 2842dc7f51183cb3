package dev.arc2face.loadtest.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.arc2face.v1.Accepted;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.GetModelInfoRequest;
import dev.arc2face.v1.GetModelInfoResponse;
import dev.arc2face.v1.PortraitServiceGrpc.PortraitServiceImplBase;
import dev.arc2face.v1.StepProgress;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Against a server that answers at once, but for one second in which it answers nobody. */
class OpenLoopTest {
    private static final int RATE = 100;

    private final ScheduledExecutorService answers = Executors.newScheduledThreadPool(2);
    private Server server;

    @BeforeEach
    void start() throws IOException {
        server =
                NettyServerBuilder.forPort(0).addService(new Stalling()).build().start();
    }

    @AfterEach
    void stop() {
        server.shutdownNow();
        answers.shutdownNow();
    }

    @Test
    void stallShowsInEveryRequestThatWasMeantToStartMeanwhile() {
        Load load = load();
        load.loop.rate = (double) RATE;
        load.arrivals = Arrivals.Kind.FIXED;
        Recording recording = run(load);

        // The stall made a hundred of them wait for 0 to 1 s. (A machine that is busy otherwise only adds to that.)
        Histogram total = recording.histogram(Metric.TOTAL);
        assertThat(total.getTotalCount()).isEqualTo(4 * RATE);
        assertThat(longerThan(total, 100)).isGreaterThan(80);
        assertThat(longerThan(total, 500)).isGreaterThan(40);
        assertThat(longerThan(recording.histogram(Metric.FIRST_EVENT), 500)).isGreaterThan(40);
        assertThat(total.getValueAtPercentile(99)).isGreaterThan(900_000);
    }

    @Test
    void closedLoopIsBlindToTheStall() {
        Load load = load();
        load.loop.callers = 1;
        Histogram total = run(load).histogram(Metric.TOTAL);

        assertThat(longerThan(total, 900)).isBetween(1L, 3L);
    }

    @Test
    void lateGeneratorIsPartOfTheLatencyAndCatchesUp() throws InterruptedException {
        List<Long> delays = new ArrayList<>();
        Caller slowOnce = index -> (intended, whenEnded) -> {
            delays.add((System.nanoTime() - intended) / 1_000_000);
            if (index == 0) {
                pause(200);
            }
        };
        long start = System.nanoTime();
        new OpenLoop(Arrivals.of(Arrivals.Kind.FIXED, RATE, 0), slowOnce).run(50, start, start + 10_000_000_000L);

        assertThat(delays).hasSize(50);
        assertThat(delays.get(1)).isGreaterThanOrEqualTo(189);
        assertThat(delays.get(10)).isGreaterThanOrEqualTo(99);
        assertThat(delays.get(49)).isLessThan(delays.get(1));
    }

    private Recording run(Load load) {
        load.target = "127.0.0.1:" + server.getPort();
        return new Run(load, new Mix(), List.of(), recording -> {}).run().recording();
    }

    private static Load load() {
        Load load = new Load();
        load.duration = Duration.ofSeconds(4);
        return load;
    }

    private static long longerThan(Histogram histogram, long millis) {
        return histogram.getCountBetweenValues(millis * 1000, Long.MAX_VALUE);
    }

    private static void pause(long millis) {
        try {
            TimeUnit.MILLISECONDS.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** From one second after the first generation on, all answers wait for a second. */
    private final class Stalling extends PortraitServiceImplBase {
        private long first;

        @Override
        public void getModelInfo(GetModelInfoRequest request, StreamObserver<GetModelInfoResponse> client) {
            client.onNext(GetModelInfoResponse.newBuilder()
                    .setEmbeddingSize(8)
                    .setRecogniserId("double")
                    .build());
            client.onCompleted();
        }

        @Override
        public void generate(GenerateRequest request, StreamObserver<GenerateResponse> client) {
            var unused = answers.schedule(() -> answer(client), delay(System.nanoTime()), TimeUnit.NANOSECONDS);
        }

        private synchronized long delay(long now) {
            first = first == 0 ? now : first;
            long second = TimeUnit.SECONDS.toNanos(1);
            long since = now - first;
            // At least some time passes: a caller in a closed loop would take the machine otherwise.
            return since >= second && since < 2 * second ? 2 * second - since : TimeUnit.MILLISECONDS.toNanos(2);
        }

        private static void answer(StreamObserver<GenerateResponse> client) {
            client.onNext(GenerateResponse.newBuilder()
                    .setAccepted(Accepted.getDefaultInstance())
                    .build());
            client.onNext(GenerateResponse.newBuilder()
                    .setStepProgress(StepProgress.newBuilder().setStep(1).setTotalSteps(1))
                    .build());
            client.onCompleted();
        }
    }
}
