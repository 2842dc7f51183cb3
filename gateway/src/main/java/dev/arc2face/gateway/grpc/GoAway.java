package dev.arc2face.gateway.grpc;

import io.grpc.InternalServer;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import org.jspecify.annotations.Nullable;

/**
 * Sends clients away before their server ends (HTTP/2's GOAWAY, RFC 9113, section 6.8): what runs on a connection goes on,
 * the next call makes another connection, and nobody connects to this server any more. Quarkus shows nobody that server; its
 * calls have it in their context. One that no call has come by has nobody to send away.
 */
final class GoAway implements ServerInterceptor {
    private volatile @Nullable Server server;

    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
        server = InternalServer.SERVER_CONTEXT_KEY.get();
        return next.startCall(call, headers);
    }

    /** Returns when no connection comes in any more; those that are there end by themselves. */
    void send() {
        Server known = server;
        if (known != null) {
            known.shutdown();
        }
    }
}
