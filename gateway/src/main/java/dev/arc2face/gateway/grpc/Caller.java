package dev.arc2face.gateway.grpc;

import static java.util.Objects.requireNonNull;

import io.grpc.Context;
import io.grpc.Grpc;
import io.grpc.ServerCall;
import java.net.InetSocketAddress;
import java.net.SocketAddress;

/** Who calls, as far as turns are concerned. */
final class Caller {
    /** Set by whoever has found out who calls. */
    static final Context.Key<String> PRINCIPAL = Context.key("principal");

    private static final Context.Key<String> NAME = Context.key("caller");

    private Caller() {}

    /** The context with who calls. */
    static Context in(Context context, ServerCall<?, ?> call) {
        return context.withValue(NAME, of(call));
    }

    /** Who makes the current call. */
    static String current() {
        return requireNonNull(NAME.get());
    }

    /** The principal of the current context; otherwise the peer's IP address, whatever its port. */
    static String of(ServerCall<?, ?> call) {
        String principal = PRINCIPAL.get();
        if (principal != null) {
            return "principal " + principal;
        }
        SocketAddress peer = call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
        return peer instanceof InetSocketAddress address && address.getAddress() != null
                ? address.getAddress().getHostAddress()
                : "unknown";
    }
}
