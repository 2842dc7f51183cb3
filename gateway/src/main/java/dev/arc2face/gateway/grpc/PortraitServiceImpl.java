package dev.arc2face.gateway.grpc;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.admission.Demand;
import dev.arc2face.gateway.admission.Generation;
import dev.arc2face.gateway.admission.Place;
import dev.arc2face.gateway.admission.Turn;
import dev.arc2face.gateway.config.LimitsConfig;
import dev.arc2face.gateway.diffusion.GenerationOptions;
import dev.arc2face.gateway.face.Detection;
import dev.arc2face.gateway.face.Identity;
import dev.arc2face.gateway.face.StageClock;
import dev.arc2face.gateway.image.Pixels;
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
import dev.arc2face.v1.PortraitServiceGrpc;
import io.grpc.Context.CancellableContext;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Supplier;
import org.jboss.logging.Logger;

/**
 * The public service: has a call admitted, hands it to the pipeline on a thread of ours, and writes what comes out.
 * Nothing here blocks the thread that a call arrives on, and nothing here knows how portraits are made.
 */
final class PortraitServiceImpl extends PortraitServiceGrpc.PortraitServiceImplBase {
    private static final Logger LOG = Logger.getLogger(PortraitServiceImpl.class);

    private final Readiness readiness;
    private final Requests requests;
    private final ModelInfo modelInfo;
    private final LimitsConfig limits;
    private final BoundedExecutor unaryCalls;
    private final ScheduledExecutorService timer;
    private final CallDeadline deadline;

    PortraitServiceImpl(
            Readiness readiness,
            Requests requests,
            ModelInfo modelInfo,
            LimitsConfig limits,
            BoundedExecutor unaryCalls,
            ScheduledExecutorService timer) {
        this.readiness = readiness;
        this.requests = requests;
        this.modelInfo = modelInfo;
        this.limits = limits;
        this.unaryCalls = unaryCalls;
        this.timer = timer;
        this.deadline = new CallDeadline(limits.deadlineMargin(), timer);
    }

    @Override
    public void generate(GenerateRequest request, StreamObserver<GenerateResponse> responses) {
        Pipeline pipeline = readiness.pipeline();
        GenerationOptions options = requests.options(request, pipeline);
        String id = requests.requestId(request);

        CancellableContext context = deadline.newContext();
        EventWriter writer = new EventWriter(
                (ServerCallStreamObserver<GenerateResponse>) responses,
                (int) limits.maxEventBytes().asLongValue(),
                limits.clientStall(),
                timer,
                () -> context.cancel(null));
        Place place = AdmissionInterceptor.place();
        long accepted = System.nanoTime();
        Generation generation = new Generation() {
            @Override
            public void run() {
                Duration queued = Duration.ofNanos(System.nanoTime() - accepted);
                try {
                    context.run(() -> generate(queued));
                } finally {
                    context.cancel(null);
                }
            }

            private void generate(Duration queued) {
                String outcome = "completed";
                try {
                    pipeline.generator()
                            .generate(
                                    Requests.identity(request.getIdentity()),
                                    options,
                                    place.watching(event -> writer.send(Responses.event(event, queued))));
                    writer.complete();
                } catch (FailureException failure) {
                    writer.fail(Requests.blame(failure, "identity", request.getIdentity()));
                    outcome = failure.reason().name();
                } catch (RuntimeException | Error thrown) {
                    writer.fail(thrown);
                    outcome = ErrorReason.INTERNAL.name();
                }
                log(id, options, outcome, Duration.ofNanos(System.nanoTime() - accepted), queued);
            }

            @Override
            public void moved(Turn turn) {
                try {
                    writer.send(Responses.queued(turn));
                } catch (FailureException ended) {
                    // The stream has, and whoever ended it sees to the rest.
                }
            }

            @Override
            public void withdrawn(FailureException why) {
                context.cancel(null);
                writer.fail(why);
                Duration queued = Duration.ofNanos(System.nanoTime() - accepted);
                log(id, options, why.reason().name(), queued, queued);
            }

            @Override
            public void stopped(FailureException why) {
                writer.fail(why);
                context.cancel(null);
            }
        };
        Demand demand = new Demand(options.workload(), request.getSerializedSize(), CallDeadline.nanoTime(context));
        try {
            writer.begin(() -> place.enter(demand, generation).map(Responses::queued), Responses.accepted(id, options));
        } catch (FailureException refused) {
            context.cancel(null);
            throw refused;
        } finally { // at once where the call has ended in the meantime
            context.addListener(ended -> place.withdraw(CallDeadline.reason(ended)), Runnable::run);
        }
    }

    private static void log(String id, GenerationOptions options, String outcome, Duration all, Duration queued) {
        LOG.infof(
                "generation %s: %s, variant %s, images %d, steps %d, scheduler %s, %d ms of which %d ms queued",
                id,
                outcome,
                options.variant().id(),
                options.numImages(),
                options.steps(),
                options.scheduler().id(),
                all.toMillis(),
                queued.toMillis());
    }

    @Override
    public void detectFaces(DetectFacesRequest request, StreamObserver<DetectFacesResponse> response) {
        Pipeline pipeline = readiness.pipeline();
        answer(response, () -> {
            Pixels pixels = Requests.blaming(
                    "photo", () -> pipeline.decoder().decode(request.getPhoto().toByteArray()));
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
        return Requests.blaming(
                field, source, () -> pipeline.reader().read(Requests.identity(source), new StageClock()));
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
        unaryCalls.execute(deadline.newContext(), call, withdrawn -> response.onError(ErrorStatus.carrying(withdrawn)));
    }
}
