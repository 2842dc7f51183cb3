package dev.arc2face.gateway.grpc;

import dev.arc2face.v1.CancelGenerationRequest;
import dev.arc2face.v1.CompareFacesRequest;
import dev.arc2face.v1.DetectFacesRequest;
import dev.arc2face.v1.EmbedFaceRequest;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GetModelInfoRequest;
import dev.arc2face.v1.PortraitServiceGrpc.PortraitServiceImplBase;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import java.io.InputStream;
import java.util.List;

/**
 * The portrait service with what every call passes on its way in: admission, the size of the message, its parsing, its
 * constraints. Failures on that way are thrown where {@link ErrorInterceptor} sees them, inside Quarkus' own
 * interceptors, which would turn them into something else.
 */
final class GuardedService {
    private GuardedService() {}

    /** @param atCallStart sees a call before anything of its message is read */
    static ServerServiceDefinition of(
            PortraitServiceImplBase service, int maxRequestBytes, ErrorStatus errors, ServerInterceptor atCallStart) {
        ServerServiceDefinition typed = ServerInterceptors.intercept(
                service,
                new ValidationInterceptor(List.of(
                        GenerateRequest.getDescriptor(),
                        CancelGenerationRequest.getDescriptor(),
                        DetectFacesRequest.getDescriptor(),
                        EmbedFaceRequest.getDescriptor(),
                        CompareFacesRequest.getDescriptor(),
                        GetModelInfoRequest.getDescriptor())));
        ServerServiceDefinition raw = ServerInterceptors.useMarshalledMessages(
                typed, new RequestMarshaller(maxRequestBytes), new Serialised());
        return ServerInterceptors.interceptForward(raw, new ErrorInterceptor(errors), atCallStart);
    }

    /** Responses are serialised already when they reach the transport. */
    private static final class Serialised implements Marshaller<InputStream> {
        @Override
        public InputStream stream(InputStream response) {
            return response;
        }

        @Override
        public InputStream parse(InputStream response) {
            return response;
        }
    }
}
