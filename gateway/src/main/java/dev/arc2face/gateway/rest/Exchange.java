package dev.arc2face.gateway.rest;

import static java.util.Objects.requireNonNull;

import com.google.common.util.concurrent.MoreExecutors;
import com.google.protobuf.Message;
import dev.arc2face.gateway.grpc.Calls;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.net.SocketAddress;
import io.vertx.core.net.impl.ConnectionBase;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A request of HTTP and its response as a call of the service: the headers are the call's metadata, the connection's
 * end is the client's going away. The call has threads of ours, in turn, for messages are large; what is written goes
 * through the event loop, in the order in which it came.
 */
abstract class Exchange<R> implements Calls.Client<R> {
    private static final Pattern METADATA_NAME = Pattern.compile("[0-9a-z_.-]+");
    /** Those that are the connection's, and not the call's. */
    private static final Set<String> OF_CONNECTION = Set.of(
            "connection", "content-length", "expect", "host", "keep-alive", "te", "transfer-encoding", "upgrade");

    private static final Pattern ASCII = Pattern.compile("[\\x20-\\x7e]*");

    private final HttpServerRequest request;
    private final Setting setting;
    private final Executor eventLoop;
    private final Executor callExecutor;

    // Of the event loop alone.
    private Calls.@Nullable Call<?> call;
    private @Nullable Upload<?> upload;
    private boolean ended;

    /**
     * What all exchanges have in common.
     *
     * @param threads that calls run on
     * @param patience how long a client may take to read a response that has ended
     * @param crossOrigin whether pages of chosen other sites may call
     */
    record Setting(Vertx vertx, Executor threads, Duration patience, boolean crossOrigin) {}

    Exchange(HttpServerRequest request, Setting setting) {
        this.request = request;
        this.setting = setting;
        Context context = setting.vertx().getOrCreateContext();
        this.eventLoop = task -> context.runOnContext(now -> task.run());
        this.callExecutor = MoreExecutors.newSequentialExecutor(setting.threads());
    }

    /** Has the call begin; on the event loop. */
    final <Q> Calls.Call<Q> begin(Calls calls, MethodDescriptor<Q, R> method) {
        Calls.Call<Q> begun = calls.start(method, headers(request), connection(request), this, callExecutor);
        call = begun;
        response().closeHandler(gone -> {
            ended = true;
            over();
            begun.cancel();
        });
        return begun;
    }

    /** Takes in the request's body, unless the call has ended before it was wanted, and gives it to the call. */
    final <Q extends Message> void receive(Calls.Call<Q> begun, Q prototype, Body body, Upload.Limits limits) {
        request.pause();
        afterCall(() -> {
            if (!ended) {
                Upload<Q> begins = new Upload<>(vertx(), limits, callExecutor, prototype, begun);
                upload = begins;
                begins.take(request, body);
            }
            request.resume();
        });
    }

    /** Does something on the event loop once the call has taken what it was told so far, and has answered what it could. */
    final void afterCall(Runnable work) {
        callExecutor.execute(() -> eventLoop.execute(work));
    }

    final HttpServerResponse response() {
        return request.response();
    }

    final HttpServerRequest request() {
        return request;
    }

    final Vertx vertx() {
        return setting.vertx();
    }

    final Executor eventLoop() {
        return eventLoop;
    }

    final Calls.Call<?> call() {
        return requireNonNull(call);
    }

    final boolean isEnded() {
        return ended;
    }

    /** The call has ended well. */
    abstract void complete();

    /** The call has not ended well. */
    void fail(Problem problem) {
        answer(problem);
    }

    /** The response has ended, or nobody reads it any more. */
    void over() {
        if (upload != null) {
            upload.stop();
        }
    }

    @Override
    public final void end(Status status, Metadata trailers) {
        @Nullable Problem problem = status.isOk() ? null : Problem.of(status, trailers);
        eventLoop.execute(() -> {
            if (ended) {
                return;
            }
            ended = true;
            if (problem == null) {
                complete();
            } else {
                fail(problem);
            }
        });
    }

    final void answer(Problem problem) {
        answer(Reply.of(problem));
    }

    /** Begins the response. Who may call may show it on a page of its own, as what it is and nothing else. */
    final HttpServerResponse head(int status) {
        return response()
                .setStatusCode(status)
                .putHeader(HttpHeaderNames.CACHE_CONTROL, "no-store")
                .putHeader("X-Content-Type-Options", "nosniff")
                .putHeader("Cross-Origin-Resource-Policy", setting.crossOrigin() ? "cross-origin" : "same-origin");
    }

    /** Writes a whole response. */
    final void answer(Reply reply) {
        HttpServerResponse response = head(reply.status());
        reply.headers().forEach(response::putHeader);
        if (!reply.mediaType().isEmpty()) {
            response.putHeader(HttpHeaderNames.CONTENT_TYPE, reply.mediaType());
        }
        finish(reply.body());
    }

    /** Writes the last bytes of the response. A client that does not take them, or goes on sending, is cut off. */
    final void finish(Buffer last) {
        over();
        Future<Void> left = response().end(last);
        long timer = vertx().setTimer(setting.patience().toMillis(), late -> {
            if (!left.isComplete() || !request.isEnded()) {
                cut();
            }
        });
        left.onComplete(end -> {
            if (request.isEnded()) {
                vertx().cancelTimer(timer);
            }
        });
    }

    /** Ends it at once, whatever waits to be written. */
    final void cut() {
        if (request.version() == HttpVersion.HTTP_2) {
            response().reset();
        } else if (request.connection() instanceof ConnectionBase connection) {
            // Vert.x' own close() would wait for what is never going to be read.
            var unused = connection.channel().close();
        }
    }

    private static Metadata headers(HttpServerRequest request) {
        Metadata headers = new Metadata();
        request.headers().forEach(header -> {
            String name = header.getKey().toLowerCase(Locale.ROOT);
            if (METADATA_NAME.matcher(name).matches()
                    && !name.endsWith(Metadata.BINARY_HEADER_SUFFIX)
                    && !OF_CONNECTION.contains(name)
                    && ASCII.matcher(header.getValue()).matches()) {
                headers.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), header.getValue());
            }
        });
        return headers;
    }

    private static Calls.Connection connection(HttpServerRequest request) {
        SocketAddress peer = request.remoteAddress();
        return new Calls.Connection(
                peer.hostAddress() == null
                        ? InetSocketAddress.createUnresolved(peer.host(), peer.port())
                        : new InetSocketAddress(peer.hostAddress(), peer.port()),
                request.isSSL() ? request.sslSession() : null);
    }
}
