package dev.arc2face.gateway.grpc;

import static io.grpc.stub.ServerCalls.asyncServerStreamingCall;
import static io.grpc.stub.ServerCalls.asyncUnaryCall;

import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.PortraitImage;
import dev.arc2face.v1.PortraitServiceGrpc;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import java.util.List;

/**
 * The portrait service where a generation is detached from the call that begins it: {@code Generate} answers with the
 * first event alone, and other calls listen, look, and fetch by the request id. No gRPC client can call these methods:
 * one call that does it all is what gRPC is good at.
 */
public final class DetachedService {
    /** The events after a number, as {@code Generate} streams them; none where nothing comes any more. */
    public static final MethodDescriptor<Listening, GenerateResponse> LISTEN =
            method("ListenToGeneration", MethodType.SERVER_STREAMING);

    /** The latest event of a generation, by its request id. */
    public static final MethodDescriptor<String, GenerateResponse> LATEST = method("GetGeneration", MethodType.UNARY);

    /** A finished portrait. */
    public static final MethodDescriptor<PortraitName, PortraitImage> PORTRAIT =
            method("GetPortrait", MethodType.UNARY);

    private final List<ServerServiceDefinition> definitions;

    /**
     * From one event of a generation on.
     *
     * @param requestId the caller's name for the generation
     * @param afterSequence the number of the last event that the caller has heard of, 0 for none
     */
    public record Listening(String requestId, long afterSequence) {}

    /**
     * A finished portrait.
     *
     * @param requestId the caller's name for its generation
     * @param imageIndex which of its portraits, from 0
     */
    public record PortraitName(String requestId, int imageIndex) {}

    /** @param atCallStart sees a call before anything of its message is read */
    DetachedService(
            PortraitServiceImpl service,
            ValidationInterceptor constraints,
            int maxRequestBytes,
            ErrorStatus errors,
            ServerInterceptor atCallStart) {
        ServerServiceDefinition ofProto = ServerServiceDefinition.builder(PortraitServiceGrpc.SERVICE_NAME)
                .addMethod(PortraitServiceGrpc.getGenerateMethod(), asyncServerStreamingCall(service::beginAlone))
                .addMethod(PortraitServiceGrpc.getCancelGenerationMethod(), asyncUnaryCall(service::cancelGeneration))
                .addMethod(PortraitServiceGrpc.getDetectFacesMethod(), asyncUnaryCall(service::detectFaces))
                .addMethod(PortraitServiceGrpc.getEmbedFaceMethod(), asyncUnaryCall(service::embedFace))
                .addMethod(PortraitServiceGrpc.getCompareFacesMethod(), asyncUnaryCall(service::compareFaces))
                .addMethod(PortraitServiceGrpc.getGetModelInfoMethod(), asyncUnaryCall(service::getModelInfo))
                .build();
        ServerServiceDefinition byId = ServerServiceDefinition.builder(PortraitServiceGrpc.SERVICE_NAME)
                .addMethod(LISTEN, asyncServerStreamingCall(service::listen))
                .addMethod(LATEST, asyncUnaryCall(service::latest))
                .addMethod(PORTRAIT, asyncUnaryCall(service::portrait))
                .build();
        definitions = List.of(
                GuardedService.of(ofProto, constraints, maxRequestBytes, errors, atCallStart),
                ServerInterceptors.interceptForward(byId, new ErrorInterceptor(errors), atCallStart));
    }

    List<ServerServiceDefinition> definitions() {
        return definitions;
    }

    private static <Q, R> MethodDescriptor<Q, R> method(String name, MethodType type) {
        return MethodDescriptor.<Q, R>newBuilder()
                .setType(type)
                .setFullMethodName(MethodDescriptor.generateFullMethodName(PortraitServiceGrpc.SERVICE_NAME, name))
                .setRequestMarshaller(new ByReference<>())
                .setResponseMarshaller(new ByReference<>())
                .build();
    }
}
