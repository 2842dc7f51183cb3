package dev.arc2face.gateway.grpc;

import static dev.arc2face.gateway.FailureException.blaming;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.admission.StepQuota;
import dev.arc2face.gateway.config.LimitsConfig;
import dev.arc2face.gateway.diffusion.GenerationOptions;
import dev.arc2face.gateway.face.Detection;
import dev.arc2face.gateway.face.Identity;
import dev.arc2face.gateway.face.Stage;
import dev.arc2face.gateway.face.StageClock;
import dev.arc2face.gateway.image.Pixels;
import dev.arc2face.gateway.security.Policy;
import dev.arc2face.gateway.trace.Spans;
import dev.arc2face.v1.CancelGenerationRequest;
import dev.arc2face.v1.CancelGenerationResponse;
import dev.arc2face.v1.CompareFacesRequest;
import dev.arc2face.v1.CompareFacesResponse;
import dev.arc2face.v1.DetectFacesRequest;
import dev.arc2face.v1.DetectFacesResponse;
import dev.arc2face.v1.EmbedFaceRequest;
import dev.arc2face.v1.EmbedFaceResponse;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.GetModelInfoRequest;
import dev.arc2face.v1.GetModelInfoResponse;
import dev.arc2face.v1.IdentitySource;
import dev.arc2face.v1.OnDisconnect;
import dev.arc2face.v1.PortraitImage;
import dev.arc2face.v1.PortraitServiceGrpc;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.opentelemetry.api.trace.Span;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * The public service: has a call admitted, hands it to the pipeline on a thread of ours, and writes what comes out.
 * Nothing here blocks the thread that a call arrives on, and nothing here knows how portraits are made.
 */
final class PortraitServiceImpl extends PortraitServiceGrpc.PortraitServiceImplBase {
    private final Readiness readiness;
    private final Requests requests;
    private final ModelInfo modelInfo;
    private final Receipts receipts;
    private final Generations generations;
    private final StepQuota stepQuota;
    private final Policy policy;
    private final Meters meters;
    private final LimitsConfig limits;
    private final BoundedExecutor unaryCalls;
    private final ScheduledExecutorService timer;
    private final Duration listenerGrace;
    private final CallDeadline deadline;

    /** @param listenerGrace how long a generation that was begun alone goes on before somebody listens */
    PortraitServiceImpl(
            Readiness readiness,
            Requests requests,
            ModelInfo modelInfo,
            Receipts receipts,
            Generations generations,
            StepQuota stepQuota,
            Policy policy,
            Meters meters,
            LimitsConfig limits,
            BoundedExecutor unaryCalls,
            ScheduledExecutorService timer,
            Duration listenerGrace) {
        this.readiness = readiness;
        this.requests = requests;
        this.modelInfo = modelInfo;
        this.receipts = receipts;
        this.generations = generations;
        this.stepQuota = stepQuota;
        this.policy = policy;
        this.meters = meters;
        this.limits = limits;
        this.unaryCalls = unaryCalls;
        this.timer = timer;
        this.listenerGrace = listenerGrace;
        this.deadline = new CallDeadline(limits.deadlineMargin(), timer);
    }

    @Override
    public void generate(GenerateRequest request, StreamObserver<GenerateResponse> responses) {
        begin(request, false, generation -> listen(generation, request.getAfterSequence(), responses));
    }

    /**
     * Begins a generation, or finds the one that is there, and answers with its first event. It goes on without a
     * listener, for a while even where its caller did not ask for that.
     */
    void beginAlone(GenerateRequest request, StreamObserver<GenerateResponse> response) {
        // Or telling a caller that is gone would throw where the generation is told about.
        ((ServerCallStreamObserver<GenerateResponse>) response).setOnCancelHandler(() -> {});
        begin(request, true, generation -> generation.recording().tellFirst(response));
    }

    /** @param attached has the caller told of a generation, and says whether there is anything to tell */
    private void begin(GenerateRequest request, boolean alone, Predicate<Ongoing> attached) {
        Pipeline pipeline = readiness.pipeline();
        String id = requests.requestId(request);
        GenerationOptions options = requests.options(request, id, pipeline);
        CallRecord.current()
                .generation(id, options.variant().id(), options.variant().model(), options.numImages());
        boolean finishes = request.getOnDisconnect() == OnDisconnect.ON_DISCONNECT_FINISH;
        String caller = Caller.current();
        Generations.Key name = new Generations.Key(caller, id);
        // Made now: the generation keeps it, and must not keep the request, which has the photo.
        Policy.Question question = question(caller, id, request, options);
        Ongoing made = new Ongoing(
                id,
                request.getIdentity(),
                options,
                pipeline.generator(),
                receipts.begin(pipeline.models(), options.variant()),
                () -> policy.require(question),
                stepQuota.charge(caller, (long) options.numImages() * options.steps()),
                meters,
                deadline.newDetachedContext(!finishes),
                finishes,
                alone,
                ended -> generations.ended(name, ended));
        Ongoing generation;
        try {
            generation = generations.add(name, request, options.seed(0), made);
        } catch (FailureException conflict) {
            made.discard();
            throw conflict;
        }
        if (generation != made) {
            Span.fromContext(Spans.current()).addLink(generation.spanContext());
        }
        if (!attached.test(generation)) { // its caller has just left it, and it ends
            generations.remove(name, generation);
            made.discard();
            begin(request, alone, attached);
        } else if (generation != made) {
            made.discard();
        } else if (!made.begin(AdmissionInterceptor.place(), request.getSerializedSize())) {
            generations.remove(name, made);
        } else if (alone) {
            made.waitForListener(listenerGrace, timer);
        }
    }

    /** Listens to a generation of the caller's that is here, in the place of whoever listened before. */
    void listen(DetachedService.Listening wanted, StreamObserver<GenerateResponse> responses) {
        CallRecord.current().requestId(wanted.requestId());
        Ongoing generation = find(wanted.requestId());
        if (wanted.afterSequence() == EventNumbers.END || generation.recording().isOverAfter(wanted.afterSequence())) {
            responses.onCompleted();
        } else if (!listen(generation, wanted.afterSequence(), responses)) {
            throw notFound();
        }
    }

    /** The latest event of a generation of the caller's that is here. */
    void latest(String requestId, StreamObserver<GenerateResponse> response) {
        CallRecord.current().requestId(requestId);
        if (!find(requestId).recording().tellLatest(response)) {
            throw notFound();
        }
    }

    /** A finished portrait of a generation of the caller's that is here. */
    void portrait(DetachedService.PortraitName wanted, StreamObserver<PortraitImage> response) {
        CallRecord.current().requestId(wanted.requestId());
        response.onNext(find(wanted.requestId())
                .recording()
                .image(wanted.imageIndex())
                .orElseThrow(() -> FailureException.of(
                        ErrorReason.GENERATION_NOT_FOUND, "that portrait is not there, or not yet")));
        response.onCompleted();
    }

    private Ongoing find(String requestId) {
        return generations
                .find(new Generations.Key(Caller.current(), requestId))
                .orElseThrow(PortraitServiceImpl::notFound);
    }

    private static FailureException notFound() {
        return FailureException.of(ErrorReason.GENERATION_NOT_FOUND, "there is no such generation of yours here");
    }

    private static Policy.Question question(
            String caller, String id, GenerateRequest request, GenerationOptions options) {
        return new Policy.Question(
                caller,
                id,
                request.getIdentity().getSourceCase().name().toLowerCase(Locale.ROOT),
                options.numImages(),
                options.steps(),
                options.floor().maxAttempts(),
                options.variant().id());
    }

    private boolean listen(Ongoing generation, long heard, StreamObserver<GenerateResponse> responses) {
        EventWriter writer = new EventWriter(
                (ServerCallStreamObserver<GenerateResponse>) responses,
                (int) limits.maxEventBytes().asLongValue(),
                limits.clientStall(),
                timer,
                generation::left);
        CallRecord.current().rejected(generation::rejected);
        boolean listens = generation.listen(writer, heard);
        if (listens) {
            writer.begin();
        }
        return listens;
    }

    @Override
    public void cancelGeneration(CancelGenerationRequest request, StreamObserver<CancelGenerationResponse> response) {
        CallRecord.current().requestId(request.getRequestId());
        boolean cancelled = generations.cancel(new Generations.Key(Caller.current(), request.getRequestId()));
        response.onNext(
                CancelGenerationResponse.newBuilder().setCancelled(cancelled).build());
        response.onCompleted();
    }

    @Override
    public void detectFaces(DetectFacesRequest request, StreamObserver<DetectFacesResponse> response) {
        Pipeline pipeline = readiness.pipeline();
        answer(response, () -> {
            StageClock clock = new StageClock();
            Pixels pixels = blaming(
                    "photo",
                    () -> clock.time(
                            Stage.DECODE,
                            () -> pipeline.decoder().decode(request.getPhoto().toByteArray())));
            CallRecord.current().model(pipeline.models().faceDetector().name());
            Detection detection =
                    clock.time(Stage.DETECT, () -> pipeline.detector().detect(pixels));
            return DetectFacesResponse.newBuilder()
                    .setPhotoWidth(pixels.width())
                    .setPhotoHeight(pixels.height())
                    .addAllFaces(Responses.faces(detection.faces()))
                    .setTruncated(detection.truncated())
                    .build();
        });
    }

    @Override
    public void embedFace(EmbedFaceRequest request, StreamObserver<EmbedFaceResponse> response) {
        Pipeline pipeline = readiness.pipeline();
        answer(response, () -> {
            Identity identity = read(pipeline, "identity", request.getIdentity());
            return EmbedFaceResponse.newBuilder()
                    .setEmbedding(Responses.embedding(
                            identity.embedding(), pipeline.recogniser().id()))
                    .setFaceReport(Responses.report(identity.report()))
                    .build();
        });
    }

    @Override
    public void compareFaces(CompareFacesRequest request, StreamObserver<CompareFacesResponse> response) {
        Pipeline pipeline = readiness.pipeline();
        answer(response, () -> {
            Identity first = read(pipeline, "first", request.getFirst());
            Identity second = read(pipeline, "second", request.getSecond());
            return CompareFacesResponse.newBuilder()
                    .setSimilarity((float) first.embedding().similarityTo(second.embedding()))
                    .setFirstReport(Responses.report(first.report()))
                    .setSecondReport(Responses.report(second.report()))
                    .build();
        });
    }

    @Override
    public void getModelInfo(GetModelInfoRequest request, StreamObserver<GetModelInfoResponse> response) {
        response.onNext(modelInfo.of(readiness.pipeline()));
        response.onCompleted();
    }

    private static Identity read(Pipeline pipeline, String field, IdentitySource source) {
        CallRecord.current().model(pipeline.recogniser().id());
        return blaming(field, () -> pipeline.reader().read(Requests.identity(source), new StageClock()));
    }

    /** Answers a unary call from a thread of ours, within the call's deadline. */
    private <R> void answer(StreamObserver<R> response, Supplier<R> work) {
        Runnable call = () -> {
            try {
                response.onNext(work.get());
                response.onCompleted();
            } catch (RuntimeException | Error thrown) {
                response.onError(ErrorStatus.carrying(thrown));
            }
        };
        unaryCalls.execute(
                Caller.current(),
                deadline.newContext(),
                call,
                withdrawn -> response.onError(ErrorStatus.carrying(withdrawn)));
    }
}
