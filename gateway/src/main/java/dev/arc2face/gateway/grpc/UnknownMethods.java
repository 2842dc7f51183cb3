package dev.arc2face.gateway.grpc;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.grpc.RequestMarshaller.Request;
import io.grpc.HandlerRegistry;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerMethodDefinition;
import org.jspecify.annotations.Nullable;

/**
 * Answers to methods that nobody serves. A server without a registry of last resort answers them by itself, past all
 * interceptors; this one has them fail as every other call does.
 */
final class UnknownMethods extends HandlerRegistry {
    private static final RequestMarshaller NOTHING = new RequestMarshaller(0);

    @Override
    public ServerMethodDefinition<?, ?> lookupMethod(String methodName, @Nullable String authority) {
        MethodDescriptor<Request, Request> method = MethodDescriptor.<Request, Request>newBuilder()
                .setType(MethodType.UNKNOWN)
                .setFullMethodName(methodName)
                .setRequestMarshaller(NOTHING)
                .setResponseMarshaller(NOTHING)
                .build();
        return ServerMethodDefinition.create(method, (call, headers) -> {
            throw FailureException.of(ErrorReason.UNIMPLEMENTED, "no such method: " + methodName);
        });
    }
}
