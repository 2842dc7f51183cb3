package dev.arc2face.gateway.triton;

import static dev.arc2face.gateway.Waiting.await;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(TritonExtension.class)
class TritonServerTest {
    private static final ExecutorService THREADS = Executors.newCachedThreadPool();

    @AfterAll
    static void endThreads() {
        THREADS.shutdownNow();
    }

    @Test
    void readsTheMiniProfile(SharedTriton triton) {
        ServedModels models = triton.models();

        assertThat(models.sizes()).isEqualTo(new Sizes(320, 64, 256, 8, 192, 16, 16, 128, 128));
        assertThat(models.serverVersion()).isNotEmpty();
        assertThat(models.unet().maxBatchSize()).isEqualTo(16);
        assertThat(models.unetGuided()).isEmpty();
        assertThat(models.all())
                .extracting(Model::name)
                .containsExactly("face_detector", "arcface", "encoder", "unet", "unet_lcm", "vae_decoder");
        assertThat(models.unet().input("timestep")).hasToString("timestep: FP32 [1]");
        assertThat(models.arcface().requireParameter("recogniser_id")).isEqualTo("mobileface-human-models-3.0.4");
        assertThat(models.arcface().parameter("engine"))
                .hasValueSatisfying(engine -> assertThat(engine).startsWith("onnxruntime"));
        assertThat(triton.server().isReachable()).isTrue();
    }

    @Test
    void missingParameterNamesTheModel(SharedTriton triton) {
        FailureException failure = catchThrowableOfType(
                FailureException.class, () -> triton.models().encoder().requireParameter("colour"));

        assertThat(failure.reason()).isEqualTo(ErrorReason.MODEL_CONTRACT_VIOLATED);
        assertThat(failure.metadata()).containsEntry("model", "encoder").containsEntry("tensor", "parameters.colour");
    }

    @Test
    void isUnavailableWhereNobodyListens() throws IOException {
        try (TritonServer server = Servers.open(closedPort())) {
            assertThat(Await.unavailable(server).reason()).isEqualTo(ErrorReason.MODEL_SERVER_UNAVAILABLE);
            assertThat(server.isReachable()).isFalse();
            assertUnavailable(server);
        }
    }

    @Test
    void isUnavailableWhereNobodyAnswers() throws IOException {
        // Connections are accepted by the kernel, and nothing is ever read.
        try (ServerSocket mute = new ServerSocket(0, 8, InetAddress.getLoopbackAddress());
                TritonServer server =
                        Servers.open("127.0.0.1:" + mute.getLocalPort(), Map.of("poll-timeout", "PT0.2S"))) {
            assertThat(Await.unavailable(server).reason()).isEqualTo(ErrorReason.MODEL_SERVER_UNAVAILABLE);
        }
    }

    @Test
    void goesAndComesWithTriton(SharedTriton triton) {
        try (TritonProcess process = new TritonProcess();
                TritonServer server = Servers.open(process.target(), Map.of("patience", "PT0S"))) {
            ServedModels models = Await.ready(server);
            Map<String, Tensor> inputs = UnetInputs.of(models.sizes(), 500);
            assertThat(models.unet().infer(inputs)).containsOnlyKeys("prediction");

            process.freeze();
            CompletableFuture<FailureException> broken = new CompletableFuture<>();
            Thread caller = new Thread(() -> broken.complete(failure(models.unet(), inputs)));
            caller.start();
            await().until(() -> caller.getState() == Thread.State.TIMED_WAITING);
            process.kill();
            assertThat(broken.orTimeout(60, SECONDS).join().reason()).isEqualTo(ErrorReason.MODEL_SERVER_UNAVAILABLE);
            assertThat(failure(models.unet(), inputs).reason()).isEqualTo(ErrorReason.MODEL_SERVER_UNAVAILABLE);
            Await.unavailable(server);
            assertUnavailable(server);

            process.restart();
            ServedModels again = Await.ready(server);
            assertThat(again.serverName()).isNotEqualTo(models.serverName());
            Tensor prediction = again.unet().infer(inputs).get("prediction");
            // Also what the shared Triton says: nothing depends on the process.
            assertThat(prediction.raw())
                    .isEqualTo(triton.models()
                            .unet()
                            .infer(inputs)
                            .get("prediction")
                            .raw());
            // The models of before go on working: the profile is the same.
            assertThat(models.unet().infer(inputs).get("prediction").raw()).isEqualTo(prediction.raw());
        }
    }

    @Test
    void goesOnWithTheReplicasThatAreThere(SharedTriton triton) {
        try (TritonProcess second = new TritonProcess();
                Statistics statistics = new Statistics(second.target());
                TritonServer server = Servers.open(triton.target() + "," + second.target())) {
            ServedModels models = Await.ready(server);
            AtomicInteger news = countNews(server);
            Map<String, Tensor> inputs = UnetInputs.of(models.sizes(), 500);

            // Callers at once: neither replica has more to do than the other.
            await().until(() -> {
                atOnce(4, () -> models.unet().infer(inputs));
                return statistics.settled("unet").rows() > 0;
            });

            second.kill();
            atOnce(8, () -> models.unet().infer(inputs));
            assertThat(news).hasValue(1);
        }
    }

    @Test
    void replicaWithOtherModelsIsLeftOut(SharedTriton triton) {
        try (TritonProcess other = new TritonProcess(ModelRepository.GUIDED.make());
                TritonServer server =
                        Servers.open(triton.target() + "," + other.target(), Map.of("poll-interval", "PT0.01S"))) {
            ServedModels models = Await.ready(server);
            boolean first = models.unetGuided().isEmpty(); // whichever was seen first
            AtomicInteger news = countNews(server);
            try (Statistics unused = new Statistics(first ? other.target() : triton.target())) {
                long before = unused.settled("unet").rows();

                await().during(Duration.ofSeconds(1)).until(() -> news.get() <= 1);
                atOnce(4, () -> models.unet().infer(UnetInputs.of(models.sizes(), 500)));

                assertThat(unused.settled("unet").rows()).isEqualTo(before);
                assertThat(server.models().unetGuided().isEmpty()).isEqualTo(first);
            }
        }
    }

    private static AtomicInteger countNews(TritonServer server) {
        AtomicInteger news = new AtomicInteger();
        server.addListener(new TritonServer.Listener() {
            @Override
            public void ready(ServedModels models) {
                news.incrementAndGet();
            }

            @Override
            public void unavailable(FailureException why) {
                news.incrementAndGet();
            }
        });
        return news;
    }

    private static void atOnce(int callers, Runnable call) {
        CompletableFuture<?>[] calls = Stream.generate(() -> CompletableFuture.runAsync(call, THREADS))
                .limit(callers)
                .toArray(CompletableFuture[]::new);
        try {
            CompletableFuture.allOf(calls).join();
        } catch (CompletionException failed) {
            if (failed.getCause() instanceof FailureException failure) {
                throw failure;
            }
            throw failed;
        }
    }

    @Test
    void whatStaysTheSameIsNoNews() {
        // Its configuration has maps that the gateway does not know.
        try (TritonProcess process = new TritonProcess(ModelRepository.FOR_GPU.make());
                TritonServer server = Servers.open(process.target(), Map.of("poll-interval", "PT0.01S"))) {
            Await.ready(server);
            AtomicInteger news = countNews(server);

            await().during(Duration.ofSeconds(1)).until(() -> news.get() <= 1);
            assertThat(news).hasValue(1);
        }
    }

    @Test
    void failingListenerStopsNothing(SharedTriton triton) {
        try (TritonServer server = Servers.open(triton.target())) {
            server.addListener(new TritonServer.Listener() {
                @Override
                public void ready(ServedModels models) {
                    throw new IllegalStateException("expected by this test");
                }

                @Override
                public void unavailable(FailureException why) {
                    throw new IllegalStateException("expected by this test");
                }
            });

            assertThat(Await.ready(server).sizes()).isEqualTo(triton.models().sizes());
        }
    }

    @Test
    void refusesTimesThatAreNotPositive() {
        assertThatThrownBy(() -> Servers.open("127.0.0.1:1", Map.of("poll-interval", "PT0S")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("arc2face.triton.poll-interval must be longer than nothing, not PT0S");
    }

    private static FailureException failure(Model model, Map<String, Tensor> inputs) {
        return catchThrowableOfType(FailureException.class, () -> model.infer(inputs));
    }

    private static void assertUnavailable(TritonServer server) {
        assertThatThrownBy(server::models)
                .asInstanceOf(InstanceOfAssertFactories.type(FailureException.class))
                .extracting(FailureException::reason)
                .isEqualTo(ErrorReason.MODEL_SERVER_UNAVAILABLE);
    }

    private static String closedPort() throws IOException {
        try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return "127.0.0.1:" + probe.getLocalPort();
        }
    }
}
