package dev.arc2face.gateway.grpc;

import dev.arc2face.v1.CancelGenerationRequest;
import dev.arc2face.v1.CompareFacesRequest;
import dev.arc2face.v1.DetectFacesRequest;
import dev.arc2face.v1.EmbedFaceRequest;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GetModelInfoRequest;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;

/**
 * The portrait service with what every call passes on its way in: admission, the size of the message, its parsing, its
 * constraints. Failures on that way are thrown where {@link ErrorInterceptor} sees them, inside Quarkus' own
 * interceptors, which would turn them into something else.
 */
final class GuardedService {
    private GuardedService() {}

    /** The constraints of the service's requests. To compile them takes seconds: once is enough for all services. */
    static ValidationInterceptor constraints() {
        return new ValidationInterceptor(List.of(
                GenerateRequest.getDescriptor(),
                CancelGenerationRequest.getDescriptor(),
                DetectFacesRequest.getDescriptor(),
                EmbedFaceRequest.getDescriptor(),
                CompareFacesRequest.getDescriptor(),
                GetModelInfoRequest.getDescriptor()));
    }

    /** @param atCallStart sees a call before anything of its message is read */
    static ServerServiceDefinition of(
            ServerServiceDefinition service,
            ValidationInterceptor constraints,
            int maxRequestBytes,
            ErrorStatus errors,
            ServerInterceptor atCallStart) {
        ServerServiceDefinition typed = ServerInterceptors.intercept(service, constraints);
        ServerServiceDefinition raw = ServerInterceptors.useMarshalledMessages(
                ofKnownFields(typed), new RequestMarshaller(maxRequestBytes), new Serialised());
        return ServerInterceptors.interceptForward(raw, new ErrorInterceptor(errors), atCallStart);
    }

    private static ServerServiceDefinition ofKnownFields(ServerServiceDefinition service) {
        List<ServerMethodDefinition<?, ?>> methods = new ArrayList<>();
        for (ServerMethodDefinition<?, ?> method : service.getMethods()) {
            methods.add(ofKnownFields(method));
        }
        ServiceDescriptor.Builder descriptor = ServiceDescriptor.newBuilder(
                        service.getServiceDescriptor().getName())
                .setSchemaDescriptor(service.getServiceDescriptor().getSchemaDescriptor());
        methods.forEach(method -> descriptor.addMethod(method.getMethodDescriptor()));
        ServerServiceDefinition.Builder definition = ServerServiceDefinition.builder(descriptor.build());
        for (ServerMethodDefinition<?, ?> method : methods) {
            definition.addMethod(method);
        }
        return definition.build();
    }

    private static <Q, R> ServerMethodDefinition<Q, R> ofKnownFields(ServerMethodDefinition<Q, R> method) {
        MethodDescriptor<Q, R> descriptor = method.getMethodDescriptor();
        return ServerMethodDefinition.create(
                descriptor.toBuilder()
                        .setRequestMarshaller(new KnownFields<>(descriptor.getRequestMarshaller()))
                        .build(),
                method.getServerCallHandler());
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
