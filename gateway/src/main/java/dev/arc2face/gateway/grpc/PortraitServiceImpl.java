package dev.arc2face.gateway.grpc;

import static dev.arc2face.gateway.FailureException.blaming;

import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.admission.StepQuota;
import dev.arc2face.gateway.config.LimitsConfig;
import dev.arc2face.gateway.diffusion.GenerationOptions;
import dev.arc2face.gateway.face.Detection;
import dev.arc2face.gateway.face.Identity;
import dev.arc2face.gateway.face.StageClock;
import dev.arc2face.gateway.image.Pixels;
import dev.arc2face.gateway.security.Policy;
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
import dev.arc2face.v1.PortraitServiceGrpc;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.Locale;
import java.util.concurrent.ScheduledExecutorService;
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
    private final CallDeadline deadline;

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
            ScheduledExecutorService timer) {
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
        this.deadline = new CallDeadline(limits.deadlineMargin(), timer);
    }

    @Override
    public void generate(GenerateRequest request, StreamObserver<GenerateResponse> responses) {
        Pipeline pipeline = readiness.pipeline();
        String id = requests.requestId(request);
        GenerationOptions options = requests.options(request, id, pipeline);
        CallRecord.current()
                .generation(id, options.variant().id(), options.variant().model(), options.numImages());
        boolean finishes = request.getOnDisconnect() == OnDisconnect.ON_DISCONNECT_FINISH;
        String caller = Caller.current();
        Generations.Key name = new Generations.Key(caller, id);
        Ongoing made = new Ongoing(
                id,
                request.getIdentity(),
                options,
                pipeline.generator(),
                receipts.begin(pipeline.models(), options.variant()),
                () -> policy.require(question(caller, id, request, options)),
                stepQuota.charge(caller, (long) options.numImages() * options.steps()),
                meters,
                deadline.newDetachedContext(!finishes),
                finishes,
                ended -> generations.ended(name, ended));
        Ongoing generation;
        try {
            generation = generations.add(name, request, options.seed(0), made);
        } catch (FailureException conflict) {
            made.discard();
            throw conflict;
        }
        if (!listen(generation, request, responses)) { // its caller has just left it, and it ends
            generations.remove(name, generation);
            made.discard();
            generate(request, responses);
        } else if (generation != made) {
            made.discard();
        } else if (!made.begin(AdmissionInterceptor.place(), request.getSerializedSize())) {
            generations.remove(name, made);
        }
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

    private boolean listen(Ongoing generation, GenerateRequest request, StreamObserver<GenerateResponse> responses) {
        EventWriter writer = new EventWriter(
                (ServerCallStreamObserver<GenerateResponse>) responses,
                (int) limits.maxEventBytes().asLongValue(),
                limits.clientStall(),
                timer,
                generation::left);
        boolean listens = generation.listen(writer, request.getAfterSequence());
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
            Pixels pixels = blaming(
                    "photo", () -> pipeline.decoder().decode(request.getPhoto().toByteArray()));
            CallRecord.current().model(pipeline.models().faceDetector().name());
            Detection detection = pipeline.detector().detect(pixels);
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
