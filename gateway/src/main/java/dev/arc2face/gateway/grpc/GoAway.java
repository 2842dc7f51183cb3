package dev.arc2face.gateway.grpc;

import io.grpc.InternalServer;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.EventExecutor;
import org.jspecify.annotations.Nullable;

/**
 * Sends clients away before their server ends (HTTP/2's GOAWAY, RFC 9113, section 6.8): what runs on a connection goes on,
 * the next call makes another connection, and nobody connects to this server any more. Quarkus shows nobody that server; its
 * calls have it in their context. One that no call has come by has nobody to send away.
 */
final class GoAway implements ServerInterceptor {
    private final EventLoopGroup acceptors;
    private volatile @Nullable Server server;

    /**
     * @param acceptors accept the connections of that server
     */
    GoAway(EventLoopGroup acceptors) {
        this.acceptors = acceptors;
    }

    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
        server = InternalServer.SERVER_CONTEXT_KEY.get();
        return next.startCall(call, headers);
    }

    /**
     * Returns when no connection comes in any more, and whatever is sent on one that is there comes after the word to go.
     * Those end by themselves.
     */
    void send() {
        Server known = server;
        if (known == null) {
            return;
        }
        // It waits for the listening sockets alone; the threads that closed them send the word to go right after.
        known.shutdown();
        for (EventExecutor acceptor : acceptors) {
            acceptor.submit(() -> {}).awaitUninterruptibly();
        }
    }
}
