package dev.arc2face.gateway.grpc;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.security.Authentication;
import dev.arc2face.gateway.security.Principal;
import dev.arc2face.gateway.security.Role;
import dev.arc2face.v1.PortraitServiceGrpc;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.health.v1.HealthGrpc;
import java.util.Map;
import java.util.Optional;

/**
 * Lets a call in whose caller is known and has the role that the method needs, before anything of its message is read.
 * Where nobody is asked everybody has every role. Health is for everybody: probes have no credentials.
 */
final class AuthenticationInterceptor implements ServerInterceptor {
    private static final Map<String, Role> ROLES = Map.of(
            PortraitServiceGrpc.getGenerateMethod().getFullMethodName(), Role.GENERATE,
            PortraitServiceGrpc.getCancelGenerationMethod().getFullMethodName(), Role.GENERATE,
            DetachedService.LISTEN.getFullMethodName(), Role.GENERATE,
            DetachedService.LATEST.getFullMethodName(), Role.GENERATE,
            DetachedService.PORTRAIT.getFullMethodName(), Role.GENERATE,
            PortraitServiceGrpc.getDetectFacesMethod().getFullMethodName(), Role.EMBED,
            PortraitServiceGrpc.getEmbedFaceMethod().getFullMethodName(), Role.EMBED,
            PortraitServiceGrpc.getCompareFacesMethod().getFullMethodName(), Role.EMBED);

    private final Authentication authentication;

    AuthenticationInterceptor(Authentication authentication) {
        this.authentication = authentication;
    }

    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
        Context context = Context.current();
        if (authentication.isOn()
                && !HealthGrpc.SERVICE_NAME.equals(call.getMethodDescriptor().getServiceName())) {
            Principal principal =
                    authentication.authenticate(headers, call.getAttributes().get(Grpc.TRANSPORT_ATTR_SSL_SESSION));
            CallRecord.current().caller(principal.name());
            neededFor(call.getMethodDescriptor()).ifPresent(role -> require(principal, role));
            context = context.withValue(Caller.PRINCIPAL, principal.name());
        } else {
            CallRecord.current().caller(Caller.of(call));
        }
        return Contexts.interceptCall(context, call, headers, next);
    }

    /** What is served may be asked by all; what is none of ours looks into the server. */
    private static Optional<Role> neededFor(MethodDescriptor<?, ?> method) {
        return PortraitServiceGrpc.SERVICE_NAME.equals(method.getServiceName())
                ? Optional.ofNullable(ROLES.get(method.getFullMethodName()))
                : Optional.of(Role.ADMIN);
    }

    private static void require(Principal principal, Role role) {
        if (!principal.roles().contains(role)) {
            throw FailureException.of(
                    ErrorReason.PERMISSION_DENIED,
                    "the caller lacks the role '" + role.id() + "' that this method needs",
                    Map.of("role", role.id()));
        }
    }
}
