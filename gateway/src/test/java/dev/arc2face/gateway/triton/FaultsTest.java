package dev.arc2face.gateway.triton;

import static dev.arc2face.gateway.Waiting.await;
import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.MINUTES;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import io.grpc.Context;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What callers notice of replicas that die, freeze, are not ready, come and go: nothing, while one is there. */
@ExtendWith(TritonExtension.class)
class FaultsTest {
    private static final ExecutorService THREADS = Executors.newCachedThreadPool();
    private static final ScheduledExecutorService TIMER = Executors.newScheduledThreadPool(1);

    @AfterAll
    static void endThreads() {
        THREADS.shutdownNow();
        TIMER.shutdownNow();
    }

    @Test
    void callsOfAReplicaThatDiesAreAnsweredByAnother(SharedTriton triton) {
        heldCallsAreAnsweredByAnother(triton, TritonProcess::kill);
    }

    @Test
    void callsOfAReplicaWhoseModelsCrashAreAnsweredByAnother(SharedTriton triton) {
        heldCallsAreAnsweredByAnother(triton, mortal -> {
            mortal.killBackends();
            mortal.thaw();
        });
    }

    private static void heldCallsAreAnsweredByAnother(SharedTriton triton, Consumer<TritonProcess> fault) {
        Map<String, String> keys = Map.of("least-attempt-timeout", "PT2M"); // nothing but the fault moves them
        try (TritonProcess mortal = new TritonProcess();
                TritonServer server = Servers.open(mortal.target() + "," + triton.target(), keys)) {
            ServedModels models = Await.ready(server);
            ByteString expected = unet(triton.models());
            List<CompletableFuture<ByteString>> calls = startWithSomeHeldBy(mortal, models);
            fault.accept(mortal);

            assertThat(results(calls)).containsOnly(expected);
            assertThat(results(start(8, models))).containsOnly(expected);
        }
    }

    @Test
    void callsOfAReplicaThatFreezesAreAnsweredByAnother(SharedTriton triton) {
        Map<String, String> keys = Map.of("least-attempt-timeout", "PT0.2S");
        try (TritonProcess mortal = new TritonProcess();
                Statistics statistics = new Statistics(mortal.target());
                TritonServer server = Servers.open(mortal.target() + "," + triton.target(), keys)) {
            ServedModels models = Await.ready(server);
            ByteString expected = unet(triton.models());
            awaitUse(mortal, models);
            mortal.freeze();

            assertThat(results(start(8, models))).containsOnly(expected);
            mortal.thaw();

            long before = statistics.settled("unet").succeeded();
            await().until(
                            () -> { // it is trusted again
                                assertThat(results(start(8, models))).containsOnly(expected);
                                return statistics.of("unet").succeeded() > before;
                            });
        }
    }

    /** A picture that two replicas have decoded, because the first was late, is in the accounts twice. */
    @Test
    void whatIsExecutedAgainIsCountedAgain(SharedTriton triton) {
        MeterRegistry meters = new SimpleMeterRegistry();
        Map<String, String> keys = Map.of("least-attempt-timeout", "PT0.2S");
        try (TritonProcess slow = new TritonProcess();
                Statistics statistics = new Statistics(slow.target());
                TritonServer server = Servers.open(slow.target() + "," + triton.target(), keys, meters)) {
            ServedModels models = Await.ready(server);
            awaitUse(slow, models);
            decode(models); // so that it is known how long that takes
            double counted = rows(meters, "delivered");
            long before = executed(statistics, triton);

            slow.freeze();
            decode(models); // which the first of the two gets, as both have nothing to do
            slow.thaw();

            assertThat(rows(meters, "failed")).isEqualTo(1);
            assertThat(rows(meters, "delivered") - counted).isEqualTo(1);
            await().until(() -> executed(statistics, triton) - before == 1 + 1);
            assertThat(meters.get("arc2face.model.retries")
                            .tag("model", "vae_decoder")
                            .counter()
                            .count())
                    .isEqualTo(1);
        }
    }

    private static long executed(Statistics slow, SharedTriton triton) {
        return slow.settled("vae_decoder").rows()
                + triton.settledCounters("vae_decoder").rows();
    }

    private static double rows(MeterRegistry meters, String outcome) {
        return meters.get("arc2face.model.rows").tags("model", "vae_decoder", "outcome", outcome).counters().stream()
                .mapToDouble(Counter::count)
                .sum();
    }

    private static void decode(ServedModels models) {
        Model model = models.vaeDecoder();
        int[] shape = model.input("latents").batchShape(1);
        float[] latents = new float[model.input("latents").rowLength()];
        assertThat(model.infer(
                        Map.of("latents", Tensor.ofFloats(model.input("latents").type(), shape, latents))))
                .containsKey("image");
    }

    @Test
    void callWaitsForTheOnlyReplicaToComeBack(SharedTriton triton) {
        try (TritonProcess process = new TritonProcess();
                TritonServer server = Servers.open(process.target(), Map.of("patience", "PT2M"))) {
            ServedModels models = Await.ready(server);

            process.kill();
            Await.unavailable(server);
            List<CompletableFuture<ByteString>> calls = start(2, models);
            process.restart();

            assertThat(results(calls)).containsOnly(unet(triton.models()));
        }
    }

    @Test
    void callEndsWhenAllAreAway() {
        Map<String, String> keys = Map.of("patience", "PT0.1S");
        try (TritonProcess first = new TritonProcess();
                TritonProcess second = new TritonProcess();
                TritonServer server = Servers.open(first.target() + "," + second.target(), keys)) {
            ServedModels models = Await.ready(server);
            awaitUse(second, models);

            first.kill();
            second.kill();

            assertThat(failure(models).reason()).isEqualTo(ErrorReason.MODEL_SERVER_UNAVAILABLE);
        }
    }

    @Test
    void callThatWaitsEndsWithItsContext(SharedTriton triton) {
        Map<String, String> keys = Map.of("patience", "PT2M");
        try (TritonProcess process = new TritonProcess();
                TritonServer server = Servers.open(process.target(), keys)) {
            ServedModels models = Await.ready(server);
            process.kill();
            Await.unavailable(server);

            try (Context.CancellableContext soon = Context.current().withDeadlineAfter(50, MILLISECONDS, TIMER)) {
                AtomicReference<FailureException> failure = new AtomicReference<>();
                soon.run(() -> failure.set(failure(models)));
                assertThat(failure.get().reason()).isEqualTo(ErrorReason.DEADLINE_EXCEEDED);
            }

            Context.CancellableContext cancelled = Context.current().withCancellation();
            CompletableFuture<FailureException> failure = new CompletableFuture<>();
            Thread caller = new Thread(() -> cancelled.run(() -> failure.complete(failure(models))));
            caller.start();
            await().until(() -> caller.getState() == Thread.State.TIMED_WAITING);
            cancelled.cancel(null);
            assertThat(failure.orTimeout(1, MINUTES).join().reason()).isEqualTo(ErrorReason.CANCELLED);
        }
    }

    @Test
    void replicaThatIsLiveAndNotReadyGetsNoCalls(SharedTriton triton) {
        try (TritonProcess notReady = TritonProcess.neverReady()) {
            try (TritonServer server = Servers.open(notReady.target())) {
                assertThat(Await.unavailable(server).reason()).isEqualTo(ErrorReason.MODEL_SERVER_UNAVAILABLE);
            }
            try (Statistics statistics = new Statistics(notReady.target());
                    TritonServer server =
                            Servers.open(notReady.target() + "," + triton.target(), Map.of("attempts", "1"))) {
                ServedModels models = Await.ready(server);

                assertThat(results(start(8, models))).containsOnly(unet(triton.models()));
                assertThat(statistics.of("unet").succeeded()).isZero(); // which it would have answered
            }
        }
    }

    @Test
    void theReplicasOfANameComeAndGo(SharedTriton triton) {
        MeterRegistry meters = new SimpleMeterRegistry();
        AtomicReference<List<String>> addresses = new AtomicReference<>(List.of("127.0.0.1"));
        try (TritonProcess first = new TritonProcess();
                TritonProcess second = new TritonProcess(Path.of("mini"), "127.0.0.2", first.port());
                Statistics statistics = new Statistics(first.target());
                TritonServer server = named(first.port(), addresses, meters)) {
            ServedModels models = Await.ready(server);
            ByteString expected = unet(triton.models());
            assertThat(results(start(4, models))).containsOnly(expected);

            addresses.set(List.of("127.0.0.1", "127.0.0.2"));
            awaitUse(second, models);

            assertThat(replicas(meters)).containsExactlyInAnyOrder(first.target(), second.target());

            addresses.set(List.of("127.0.0.2"));
            await().until(
                            () -> { // the first one gets nothing more
                                long before = statistics.settled("unet").succeeded();
                                assertThat(results(start(8, models))).containsOnly(expected);
                                return statistics.settled("unet").succeeded() == before;
                            });
            assertThat(replicas(meters)).containsExactly(second.target());
            first.kill();
            assertThat(results(start(8, models))).containsOnly(expected);
        }
    }

    /** Those that something is counted for. */
    private static Set<String> replicas(MeterRegistry meters) {
        return meters.getMeters().stream()
                .map(meter -> meter.getId().getTag("replica"))
                .filter(replica -> replica != null && !replica.equals("gone"))
                .collect(Collectors.toSet());
    }

    @Test
    void nothingGoesOnWithModelsThatItDidNotBeginWith() {
        AtomicReference<List<String>> addresses = new AtomicReference<>(List.of("127.0.0.1"));
        try (TritonProcess first = new TritonProcess();
                TritonProcess second = new TritonProcess(ModelRepository.GUIDED.make(), "127.0.0.2", first.port());
                TritonServer server = named(first.port(), addresses, new SimpleMeterRegistry())) {
            ServedModels models = Await.ready(server);
            assertThat(second.target()).isNotEqualTo(first.target()).endsWith(":" + first.port());
            addresses.set(List.of("127.0.0.2"));
            await().ignoreExceptions().until(() -> server.models().unetGuided().isPresent());

            assertThat(failure(models).reason()).isEqualTo(ErrorReason.MODEL_SERVER_UNAVAILABLE);
            assertThat(unet(server.models())).isNotEmpty();
        }
    }

    private static TritonServer named(int port, AtomicReference<List<String>> addresses, MeterRegistry meters) {
        Map<String, String> keys = Map.of("resolve-interval", "PT0.05S", "poll-interval", "PT0.1S");
        return Servers.watching(new TritonServer(TestConfig.triton("triton.example:" + port, keys), meters, host -> {
            assertThat(host).isEqualTo("triton.example");
            InetAddress[] found = new InetAddress[addresses.get().size()];
            for (int i = 0; i < found.length; i++) {
                found[i] = InetAddress.getByName(addresses.get().get(i));
            }
            return found;
        }));
    }

    /** Returns when a replica has answered calls. */
    private static void awaitUse(TritonProcess replica, ServedModels models) {
        try (Statistics statistics = new Statistics(replica.target())) {
            await().until(() -> {
                results(start(4, models));
                return statistics.settled("unet").rows() > 0;
            });
        }
    }

    /** Callers at once, of whom no replica has answered one before another asks. */
    private static List<CompletableFuture<ByteString>> start(int callers, ServedModels models) {
        return Stream.generate(() -> CompletableFuture.supplyAsync(() -> unet(models), THREADS))
                .limit(callers)
                .toList();
    }

    /** Callers at once, some answered, some held by this replica, which is frozen. */
    private static List<CompletableFuture<ByteString>> startWithSomeHeldBy(TritonProcess replica, ServedModels models) {
        awaitUse(replica, models);
        replica.freeze();
        List<CompletableFuture<ByteString>> calls = start(8, models);
        await().until(() -> calls.stream().anyMatch(CompletableFuture::isDone));
        assertThat(calls).anyMatch(call -> !call.isDone());
        return calls;
    }

    private static List<ByteString> results(List<CompletableFuture<ByteString>> calls) {
        return calls.stream().map(call -> call.orTimeout(2, MINUTES).join()).toList();
    }

    private static ByteString unet(ServedModels models) {
        return models.unet()
                .infer(UnetInputs.of(models.sizes(), 500, 20))
                .get("prediction")
                .raw();
    }

    private static FailureException failure(ServedModels models) {
        return catchThrowableOfType(FailureException.class, () -> unet(models));
    }
}
