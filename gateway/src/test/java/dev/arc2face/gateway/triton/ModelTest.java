package dev.arc2face.gateway.triton;

import static dev.arc2face.gateway.Waiting.await;
import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.triton.Statistics.Counters;
import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(TritonExtension.class)
class ModelTest {
    private static final int CALLERS = 6;

    @Test
    void callersAtUnequalTimestepsShareABatchAndGetWhatTheyGetAlone(SharedTriton triton) {
        Model unet = triton.models().unet();
        Sizes sizes = triton.models().sizes();
        List<Map<String, Tensor>> calls = IntStream.range(0, CALLERS)
                .mapToObj(caller -> UnetInputs.of(sizes, 100 * caller + 0.5f, 100 * caller + 50))
                .toList();
        List<ByteString> alone = calls.stream().map(call -> predict(unet, call)).toList();

        // Whether requests meet in Triton's queue is up to chance; that some do is certain in time.
        await().until(() -> {
            Counters before = triton.settledCounters("unet");
            assertThat(allAtOnce(unet, calls)).isEqualTo(alone);
            Counters seen = triton.settledCounters("unet").since(before);
            assertThat(seen.rows()).isEqualTo(2 * CALLERS);
            assertThat(seen.succeeded()).isEqualTo(CALLERS);
            return seen.executions() < CALLERS;
        });
    }

    @Test
    void rowsOfOneCallAreTheRowsOfSeveral(SharedTriton triton) {
        Model unet = triton.models().unet();
        Sizes sizes = triton.models().sizes();

        ByteString together = predict(unet, UnetInputs.of(sizes, 999, 500.25f, 1));

        assertThat(together)
                .isEqualTo(predict(unet, UnetInputs.of(sizes, 999))
                        .concat(predict(unet, UnetInputs.of(sizes, 500.25f)))
                        .concat(predict(unet, UnetInputs.of(sizes, 1))));
    }

    @Test
    void wholeBatchesAreFullAndGiveTheSameRows(SharedTriton triton) throws Exception {
        Model unet = triton.models().unet();
        Map<String, Tensor> inputs = UnetInputs.of(triton.models().sizes(), 999, 500.25f);
        ByteString shared = predict(unet, inputs);
        Counters before = triton.settledCounters("unet");

        assertThat(WholeBatches.in(Context.current()).call(() -> predict(unet, inputs)))
                .isEqualTo(shared);
        assertThat(triton.settledCounters("unet").since(before)).isEqualTo(new Counters(unet.maxBatchSize(), 1, 1, 0));
    }

    @Test
    void everyModelTakesItsLargestBatch(SharedTriton triton) {
        ServedModels models = triton.models();
        for (Model model : List.of(
                models.faceDetector(), models.arcface(), models.encoder(), models.unet(), models.vaeDecoder())) {
            Signature signature = model.signature();
            Map<String, Tensor> inputs = signature.inputs().stream()
                    .collect(toMap(TensorSpec::name, spec -> zeros(spec, model.maxBatchSize())));

            Map<String, Tensor> outputs = model.infer(inputs);

            for (TensorSpec spec : signature.outputs()) {
                assertThat(outputs.get(spec.name()).shape()).isEqualTo(spec.batchShape(model.maxBatchSize()));
            }
        }
    }

    @Test
    void inputsThatTheModelDoesNotTakeAreAProgrammingError(SharedTriton triton) {
        Model unet = triton.models().unet();
        Map<String, Tensor> good = UnetInputs.of(triton.models().sizes(), 1);

        assertThatThrownBy(() -> unet.infer(UnetInputs.of(triton.models().sizes(), new float[17])))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("unet takes at most 16 rows, not 17");
        assertThatThrownBy(() -> unet.infer(Map.of())).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> unet.infer(with(good, "timestep", zeros(unet.input("timestep"), 2))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageMatching("unet takes [12] rows of .*");
        assertThatThrownBy(() -> unet.infer(
                        with(good, "timestep", Tensor.ofFloats(DataType.FP16, new int[] {1, 1}, new float[1]))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("unet takes 1 rows of timestep: FP32 [1], not FP16 [1, 1]");
        assertThatThrownBy(() -> unet.input("prediction")).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void expiredDeadlineAndCancelledContextSendNothing(SharedTriton triton) {
        Model unet = triton.models().unet();
        Map<String, Tensor> inputs = UnetInputs.of(triton.models().sizes(), 1);
        Counters before = triton.settledCounters("unet");

        CancellableContext cancelled = Context.current().withCancellation();
        cancelled.cancel(null);
        assertThat(failure(cancelled, unet, inputs).reason()).isEqualTo(ErrorReason.CANCELLED);

        ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
        CancellableContext expired = Context.current().withDeadlineAfter(0, TimeUnit.SECONDS, timer);
        assertThat(failure(expired, unet, inputs).reason()).isEqualTo(ErrorReason.DEADLINE_EXCEEDED);
        expired.cancel(null);
        timer.shutdown();

        assertThat(triton.settledCounters("unet").since(before)).isEqualTo(new Counters(0, 0, 0, 0));
    }

    /** What Triton answers to a gateway whose idea of a model is wrong. */
    @Nested
    @TestInstance(TestInstance.Lifecycle.PER_CLASS)
    class Misinformed {
        private ManagedChannel channel;
        private Replicas replicas;
        private Signature unet;
        private Sizes sizes;

        @BeforeAll
        void connect(SharedTriton triton) {
            channel = NettyChannelBuilder.forTarget(triton.target())
                    .usePlaintext()
                    .build();
            replicas = new Replicas(
                    TestConfig.triton(triton.target(), Map.of("attempts", "1")),
                    new AttemptMeters(new SimpleMeterRegistry()),
                    System::nanoTime);
            replicas.use(List.of(new Endpoint(triton.target(), channel)));
            unet = triton.models().unet().signature();
            sizes = triton.models().sizes();
        }

        @AfterAll
        void disconnect() {
            channel.shutdownNow();
        }

        @Test
        void refusalByTheModelIsInternalAndKeepsItsCause() {
            Signature wide = new Signature(unet.name(), unet.version(), 17, unet.inputs(), unet.outputs(), Map.of());

            FailureException failure =
                    failure(Context.current(), new Model(wide, replicas), UnetInputs.of(sizes, new float[17]));

            assertThat(failure.reason()).isEqualTo(ErrorReason.INTERNAL);
            assertThat(failure.message()).isEqualTo("model 'unet' failed");
            assertThat(failure.getCause())
                    .isInstanceOf(StatusRuntimeException.class)
                    .hasMessageContaining("batch-size must be <= 16");
        }

        @Test
        void answerOfAnotherTypeOrShapeViolatesTheContract() {
            assertViolated(
                    new TensorSpec("prediction", DataType.FP16, new int[] {4, 16, 16}),
                    "FP16 [1, 4, 16, 16]",
                    "FP32 [1, 4, 16, 16]");
            assertViolated(
                    new TensorSpec("prediction", DataType.FP32, new int[] {4, 256}),
                    "FP32 [1, 4, 256]",
                    "FP32 [1, 4, 16, 16]");
        }

        @Test
        void modelThatIsNotLoadedIsUnavailable() {
            Signature other = new Signature("unet_guided", unet.version(), 16, unet.inputs(), unet.outputs(), Map.of());

            assertThat(failure(Context.current(), new Model(other, replicas), UnetInputs.of(sizes, 1))
                            .reason())
                    .isEqualTo(ErrorReason.MODEL_SERVER_UNAVAILABLE);
        }

        @Test
        void versionThatIsNotServedIsUnavailable() {
            Signature other = new Signature(unet.name(), "2", 16, unet.inputs(), unet.outputs(), Map.of());

            assertThat(failure(Context.current(), new Model(other, replicas), UnetInputs.of(sizes, 1))
                            .reason())
                    .isEqualTo(ErrorReason.MODEL_SERVER_UNAVAILABLE);
        }

        private void assertViolated(TensorSpec output, String expected, String actual) {
            Signature other = new Signature(unet.name(), unet.version(), 16, unet.inputs(), List.of(output), Map.of());

            FailureException failure = failure(Context.current(), new Model(other, replicas), UnetInputs.of(sizes, 1));

            assertThat(failure.reason()).isEqualTo(ErrorReason.MODEL_CONTRACT_VIOLATED);
            assertThat(failure.metadata())
                    .isEqualTo(Map.of("model", "unet", "tensor", "prediction", "expected", expected, "actual", actual));
        }
    }

    /** On a Triton of its own: what other tests gave up is answered there, too, and counted. */
    @Test
    void whatIsGivenUpIsAnsweredAllTheSame() {
        try (TritonProcess process = new TritonProcess();
                TritonServer server = Servers.open(process.target(), Map.of("poll-timeout", "PT1M"));
                Statistics statistics = new Statistics(process.target())) {
            ServedModels models = Await.ready(server);
            Statistics.Counters before = statistics.of("unet");
            process.freeze();

            failureOfCancelled(models.unet(), UnetInputs.of(models.sizes(), 1));
            CompletableFuture<Void> end = CompletableFuture.runAsync(server::close); // it may come even now

            process.thaw();
            end.join();
            await().until(() -> statistics.of("unet").since(before).succeeded() == 1);
            assertThat(statistics.of("unet").since(before).failed()).isZero();
        }
    }

    /** A Triton that stops answering in the middle of a call. */
    @Nested
    @TestInstance(TestInstance.Lifecycle.PER_CLASS)
    class Frozen {
        private TritonProcess process;
        private TritonServer server;
        private ServedModels models;
        private Map<String, Tensor> inputs;

        @BeforeAll
        void start() {
            process = new TritonProcess();
            server = Servers.open(process.target(), Map.of("call-timeout", "PT2S"));
            models = Await.ready(server);
            inputs = UnetInputs.of(models.sizes(), 1);
        }

        @AfterAll
        void stop() {
            server.close();
            process.close();
        }

        @BeforeEach
        void freeze() {
            process.freeze();
        }

        @AfterEach
        void thaw() {
            process.thaw();
        }

        @Test
        void cancellationEndsTheCall() {
            assertThat(failureOfCancelled(models.unet(), inputs).reason()).isEqualTo(ErrorReason.CANCELLED);
        }

        @Test
        void deadlineOfTheCallerEndsTheCall() {
            ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
            CancellableContext context = Context.current().withDeadlineAfter(200, TimeUnit.MILLISECONDS, timer);

            assertThat(failure(context, models.unet(), inputs).reason()).isEqualTo(ErrorReason.DEADLINE_EXCEEDED);

            context.cancel(null);
            timer.shutdown();
        }

        @Test
        void timeoutOfOurOwnMeansThatTheServerIsUnavailable() {
            FailureException failure = failure(Context.current(), models.unet(), inputs);

            assertThat(failure.reason()).isEqualTo(ErrorReason.MODEL_SERVER_UNAVAILABLE);
            assertThat(failure.message()).isEqualTo("model 'unet' did not answer within 2 s; try again");
        }
    }

    /** How a call ends that is cancelled while it waits for its answer. */
    private static FailureException failureOfCancelled(Model model, Map<String, Tensor> inputs) {
        CancellableContext context = Context.current().withCancellation();
        CompletableFuture<FailureException> call = new CompletableFuture<>();
        Thread caller = new Thread(() -> call.complete(failure(context, model, inputs)));
        caller.start();
        await().until(() -> caller.getState() == Thread.State.TIMED_WAITING);

        context.cancel(null);

        return call.orTimeout(60, TimeUnit.SECONDS).join();
    }

    private static List<ByteString> allAtOnce(Model unet, List<Map<String, Tensor>> calls) {
        CyclicBarrier start = new CyclicBarrier(calls.size());
        List<CompletableFuture<ByteString>> answers = new ArrayList<>();
        for (Map<String, Tensor> call : calls) {
            CompletableFuture<ByteString> answer = new CompletableFuture<>();
            answers.add(answer);
            new Thread(() -> {
                        try {
                            start.await();
                            answer.complete(predict(unet, call));
                        } catch (InterruptedException | BrokenBarrierException | RuntimeException error) {
                            answer.completeExceptionally(error);
                        }
                    })
                    .start();
        }
        return answers.stream().map(CompletableFuture::join).toList();
    }

    private static ByteString predict(Model unet, Map<String, Tensor> inputs) {
        return unet.infer(inputs).get("prediction").raw();
    }

    private static FailureException failure(Context context, Model model, Map<String, Tensor> inputs) {
        return catchThrowableOfType(FailureException.class, () -> context.call(() -> model.infer(inputs)));
    }

    private static Tensor zeros(TensorSpec spec, int rows) {
        return new Tensor(spec.type(), spec.batchShape(rows), ByteString.copyFrom(new byte[spec.rowBytes() * rows]));
    }

    private static Map<String, Tensor> with(Map<String, Tensor> inputs, String name, Tensor tensor) {
        Map<String, Tensor> changed = new HashMap<>(inputs);
        changed.put(name, tensor);
        return changed;
    }
}
