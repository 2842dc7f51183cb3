package dev.arc2face.gateway.grpc;

import dev.arc2face.gateway.FailureException;
import io.grpc.Attributes;
import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerInterceptors;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.quarkus.grpc.GrpcService;
import jakarta.inject.Singleton;
import java.io.InputStream;
import java.net.SocketAddress;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Executor;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/**
 * Lets calls in that came by another transport than gRPC's. They pass the very interceptors that gRPC's calls pass, in
 * the same order, so that no rule about who may call, what counts as a request, how many there may be, and what is
 * written down is there twice.
 */
@Singleton
public final class Calls {
    /** What a call may leave unsent and still count as ready, unless its method says otherwise: gRPC's own 32 KiB. */
    private static final int READY_THRESHOLD = 32 << 10;

    private final Map<String, ServerMethodDefinition<?, ?>> methods = new HashMap<>();

    Calls(@GrpcService PortraitEndpoint endpoint, ServerSetup setup) {
        for (ServerServiceDefinition service : endpoint.detached().definitions()) {
            for (ServerMethodDefinition<?, ?> method : ServerInterceptors.interceptForward(
                            service, setup.interceptors())
                    .getMethods()) {
                methods.put(method.getMethodDescriptor().getFullMethodName(), method);
            }
        }
    }

    /** Whoever made a call, as its transport reaches it. Called from any thread, and never blocks. */
    public interface Client<R> {
        /** Bytes that were given to it and have not left yet. */
        long unsentBytes();

        void message(R message);

        /** The last that it hears, in the middle of {@link #start} even. */
        void end(Status status, Metadata trailers);
    }

    /** A call from its transport's side. Whoever tells it something does not wait: it hears all of it in order. */
    public interface Call<Q> {
        /** The one request of the call. */
        void request(Q request);

        /** In the place of a request that is none. */
        void refuse(FailureException why);

        /** More may be sent than before. */
        void ready();

        /** The client is gone. */
        void cancel();
    }

    /**
     * Where a call comes from.
     *
     * @param peer the address that callers are known by where nobody is asked
     * @param session of its connection, if it is encrypted
     */
    public record Connection(SocketAddress peer, @Nullable SSLSession session) {
        private Attributes attributes() {
            Attributes.Builder attributes = Attributes.newBuilder().set(Grpc.TRANSPORT_ATTR_REMOTE_ADDR, peer);
            if (session != null) {
                attributes.set(Grpc.TRANSPORT_ATTR_SSL_SESSION, session);
            }
            return attributes.build();
        }
    }

    /**
     * Begins a call of a method of the service.
     *
     * @param executor runs the call, one task at a time; none of them blocks, but one may take a tenth of a second
     */
    public <Q, R> Call<Q> start(
            MethodDescriptor<Q, R> method,
            Metadata headers,
            Connection connection,
            Client<R> client,
            Executor executor) {
        ServerMethodDefinition<?, ?> definition = methods.get(method.getFullMethodName());
        if (definition == null) {
            throw new IllegalArgumentException("no method of the service: " + method.getFullMethodName());
        }
        return start(definition, method, headers, connection, client, executor);
    }

    private static <X, Y, Q, R> Call<Q> start(
            ServerMethodDefinition<X, Y> definition,
            MethodDescriptor<Q, R> method,
            Metadata headers,
            Connection connection,
            Client<R> client,
            Executor executor) {
        Served<X, Y, Q, R> call = new Served<>(definition, method, connection.attributes(), client, executor);
        executor.execute(() -> call.start(headers));
        return call;
    }

    private static final class Served<X, Y, Q, R> extends ServerCall<X, Y> implements Call<Q> {
        private final ServerMethodDefinition<X, Y> definition;
        private final MethodDescriptor<Q, R> method;
        private final Attributes attributes;
        private final Client<R> client;
        private final Executor executor;
        private final CancellableContext context = Context.ROOT.withCancellation();

        // Of the executor's tasks alone.
        private ServerCall.Listener<X> listener = new ServerCall.Listener<>() {};
        private boolean over;

        private volatile int readyThreshold = READY_THRESHOLD;
        private volatile boolean cancelled;

        Served(
                ServerMethodDefinition<X, Y> definition,
                MethodDescriptor<Q, R> method,
                Attributes attributes,
                Client<R> client,
                Executor executor) {
            this.definition = definition;
            this.method = method;
            this.attributes = attributes;
            this.client = client;
            this.executor = executor;
        }

        void start(Metadata headers) {
            context.run(() -> listener = definition.getServerCallHandler().startCall(this, headers));
        }

        @Override
        public void request(Q request) {
            executor.execute(() -> take(method.streamRequest(request)));
        }

        @Override
        public void refuse(FailureException why) {
            executor.execute(() -> take(RequestMarshaller.refusal(why)));
        }

        private void take(InputStream request) {
            if (!over) {
                X message = definition.getMethodDescriptor().parseRequest(request);
                context.run(() -> {
                    listener.onMessage(message);
                    listener.onHalfClose();
                });
            }
        }

        @Override
        public void ready() {
            executor.execute(() -> {
                if (!over) {
                    context.run(listener::onReady);
                }
            });
        }

        @Override
        public void cancel() {
            executor.execute(this::abandon);
        }

        private void abandon() {
            if (!over) {
                over = true;
                cancelled = true;
                context.cancel(new CancellationException("the client is gone"));
                context.run(listener::onCancel);
            }
        }

        @Override
        public void close(Status status, Metadata trailers) {
            client.end(status, trailers);
            executor.execute(this::complete);
        }

        private void complete() {
            if (!over) {
                over = true;
                context.run(listener::onComplete);
                context.cancel(null);
            }
        }

        @Override
        public void sendMessage(Y message) {
            client.message(method.parseResponse(definition.getMethodDescriptor().streamResponse(message)));
        }

        @Override
        public boolean isReady() {
            return client.unsentBytes() < readyThreshold;
        }

        @Override
        public void setOnReadyThreshold(int bytes) {
            readyThreshold = bytes;
        }

        @Override
        public boolean isCancelled() {
            return cancelled;
        }

        @Override
        public Attributes getAttributes() {
            return attributes;
        }

        @Override
        public MethodDescriptor<X, Y> getMethodDescriptor() {
            return definition.getMethodDescriptor();
        }

        @Override
        public void request(int messages) {
            // There is one, and it comes when it is there.
        }

        @Override
        public void sendHeaders(Metadata headers) {
            // The transport has its own.
        }
    }
}
