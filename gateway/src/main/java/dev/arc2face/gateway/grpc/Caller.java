package dev.arc2face.gateway.grpc;

import io.grpc.Context;
import io.grpc.Grpc;
import io.grpc.ServerCall;
import java.net.InetSocketAddress;
import java.net.SocketAddress;

/** Who calls, as far as turns are concerned. */
final class Caller {
    /** Set by whoever has found out who calls. */
    static final Context.Key<String> PRINCIPAL = Context.key("principal");

    private Caller() {}

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
