package dev.arc2face.gateway.grpc;

import static io.grpc.Status.Code.FAILED_PRECONDITION;
import static io.grpc.Status.Code.INVALID_ARGUMENT;
import static io.grpc.Status.Code.RESOURCE_EXHAUSTED;

import com.google.protobuf.Message;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.config.Configs;
import dev.arc2face.gateway.config.GenerationConfig;
import dev.arc2face.gateway.config.LimitsConfig;
import dev.arc2face.gateway.diffusion.GenerationOptions;
import dev.arc2face.gateway.face.IdentitySource.Average;
import dev.arc2face.gateway.face.IdentitySource.GivenEmbedding;
import dev.arc2face.gateway.face.IdentitySource.Interpolation;
import dev.arc2face.gateway.face.IdentitySource.Photo;
import dev.arc2face.gateway.face.StageClock;
import dev.arc2face.gateway.image.PixelAllowance;
import dev.arc2face.gateway.triton.RecordedModels;
import dev.arc2face.v1.CancelGenerationRequest;
import dev.arc2face.v1.CompareFacesRequest;
import dev.arc2face.v1.DetectFacesRequest;
import dev.arc2face.v1.EmbedFaceRequest;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GetModelInfoRequest;
import dev.arc2face.v1.IdentitySource;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.ProtoUtils;
import java.io.ByteArrayInputStream;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Any bytes are a request that a model can be asked about, or refused with a reason that is the caller's. */
public final class RequestFuzz {
    private static final List<Message> REQUESTS = List.of(
            GenerateRequest.getDefaultInstance(),
            EmbedFaceRequest.getDefaultInstance(),
            CompareFacesRequest.getDefaultInstance(),
            DetectFacesRequest.getDefaultInstance(),
            CancelGenerationRequest.getDefaultInstance(),
            GetModelInfoRequest.getDefaultInstance());
    private static final Set<Status.Code> REFUSALS = Set.of(INVALID_ARGUMENT, FAILED_PRECONDITION, RESOURCE_EXHAUSTED);

    private static final LimitsConfig LIMITS =
            Configs.of(LimitsConfig.class, Map.of("arc2face.limits.max-photo-pixels", "65536"));
    private static final RequestMarshaller MARSHALLER = new RequestMarshaller(1 << 16);
    private static final ValidationInterceptor VALIDATION = new ValidationInterceptor(
            REQUESTS.stream().map(Message::getDescriptorForType).toList());
    private static final Requests DOMAIN = new Requests(Configs.of(GenerationConfig.class, Map.of()), LIMITS);
    private static final Pipeline PIPELINE = Pipeline.of(RecordedModels.get(), LIMITS, Runnable::run);
    private static final ErrorStatus ERRORS = new ErrorStatus(Duration.ofSeconds(1));

    private RequestFuzz() {}

    // Which request, and its message.
    public static void fuzzerTestOneInput(byte[] input) {
        if (input.length == 0) {
            return;
        }
        Message kind = REQUESTS.get(Math.floorMod(input[0], REQUESTS.size()));
        try {
            Message request = new KnownFields<>(ProtoUtils.marshaller(kind))
                    .parse(MARSHALLER.stream(MARSHALLER.parse(new ByteArrayInputStream(input, 1, input.length - 1))));
            VALIDATION.validate(request);
            prepare(request);
        } catch (FailureException | StatusRuntimeException refusal) {
            if (!REFUSALS.contains(ERRORS.of(refusal, "fuzz").getStatus().getCode())) {
                throw new AssertionError(refusal);
            }
        }
    }

    /** All that is done with a request before the first model call. */
    private static void prepare(Message message) {
        if (message instanceof GenerateRequest request) {
            GenerationOptions options = DOMAIN.options(request, DOMAIN.requestId(request), PIPELINE);
            if (options.workload().steps() > LIMITS.maxSteps()) {
                throw new AssertionError(options);
            }
            read("identity", request.getIdentity());
        } else if (message instanceof EmbedFaceRequest request) {
            read("identity", request.getIdentity());
        } else if (message instanceof CompareFacesRequest request) {
            read("first", request.getFirst());
            read("second", request.getSecond());
        } else if (message instanceof DetectFacesRequest request) {
            PIPELINE.decoder().decode(request.getPhoto().toByteArray());
        }
    }

    private static void read(String field, IdentitySource source) {
        FailureException.blaming(field, () -> {
            dev.arc2face.gateway.face.IdentitySource identity = Requests.identity(source);
            read(identity, PIPELINE.decoder().newAllowance());
            return identity;
        });
    }

    private static void read(dev.arc2face.gateway.face.IdentitySource identity, PixelAllowance allowance) {
        if (identity instanceof Photo photo) {
            PIPELINE.decoder().decode(photo.encoded(), allowance);
        } else if (identity instanceof Average average) {
            average.sources().forEach(source -> read(source, allowance));
        } else if (identity instanceof Interpolation between) {
            read(between.first(), allowance);
            read(between.second(), allowance);
        }
        if (isOfEmbeddings(identity)) {
            PIPELINE.reader().read(identity, new StageClock());
        }
    }

    private static boolean isOfEmbeddings(dev.arc2face.gateway.face.IdentitySource identity) {
        if (identity instanceof Average average) {
            return average.sources().stream().allMatch(RequestFuzz::isOfEmbeddings);
        }
        if (identity instanceof Interpolation between) {
            return isOfEmbeddings(between.first()) && isOfEmbeddings(between.second());
        }
        return identity instanceof GivenEmbedding;
    }
}
