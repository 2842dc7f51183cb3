package dev.arc2face.gateway.rest;

import static java.util.Objects.requireNonNull;

import com.google.protobuf.Message;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.grpc.Calls;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Takes a request's body in, up to a limit that counts before anything is kept, and within a time; then has the call's
 * executor read it: 22 MB of JSON take a tenth of a second.
 */
final class Upload<Q extends Message> {
    private final Vertx vertx;
    private final Limits limits;
    private final Executor executor;
    private final Q prototype;
    private final Calls.Call<Q> call;

    // Of the event loop alone.
    private @Nullable Body body;
    private long bytes;
    private long timer;

    /**
     * What there is for a body.
     *
     * @param bytes the most
     * @param time the longest
     * @param ofAll what there is for all bodies
     */
    record Limits(long bytes, Duration time, BodyBudget ofAll) {
        FailureException tooLarge() {
            return FailureException.of(
                    ErrorReason.MESSAGE_TOO_LARGE,
                    "the request's body is larger than " + bytes + " bytes",
                    Map.of("limit", Long.toString(bytes)));
        }

        private static FailureException tooMany() {
            return FailureException.of(
                    ErrorReason.QUEUE_FULL, "the requests that come in are too large together; try again later");
        }

        private FailureException tooSlow() {
            return FailureException.of(
                    ErrorReason.CLIENT_TOO_SLOW,
                    "the client did not send its request within " + time.toSeconds() + " s",
                    Map.of("limit_seconds", Long.toString(time.toSeconds())));
        }
    }

    /**
     * Takes nothing yet.
     *
     * @param executor the call's
     * @param prototype of the message that the body is
     * @param call gets that message, or learns why there is none
     */
    Upload(Vertx vertx, Limits limits, Executor executor, Q prototype, Calls.Call<Q> call) {
        this.vertx = vertx;
        this.limits = limits;
        this.executor = executor;
        this.prototype = prototype;
        this.call = call;
    }

    void take(HttpServerRequest request, Body into) {
        body = into;
        timer = vertx.setTimer(limits.time().toMillis(), late -> refuse(limits.tooSlow()));
        if (length(request) > limits.bytes()) {
            refuse(limits.tooLarge());
            return;
        }
        if ("100-continue".equalsIgnoreCase(request.getHeader(HttpHeaderNames.EXPECT))) {
            request.response().writeContinue();
        }
        request.handler(this::add);
        request.endHandler(end -> read());
    }

    /** As the client says it will be; 0 where it does not. */
    private static long length(HttpServerRequest request) {
        String length = request.getHeader(HttpHeaderNames.CONTENT_LENGTH);
        return length == null ? 0 : Long.parseLong(length); // the transport has refused what is no number
    }

    private void add(Buffer chunk) {
        if (body == null) {
            return; // what comes after a refusal is nobody's concern
        }
        if (bytes + chunk.length() > limits.bytes()) {
            refuse(limits.tooLarge());
        } else if (!limits.ofAll().takeOrGiveBack(chunk.length(), bytes)) {
            bytes = 0;
            refuse(Limits.tooMany());
        } else {
            bytes += chunk.length();
            body.add(chunk.getBytes());
        }
    }

    private void read() {
        if (body == null) {
            return;
        }
        Body whole = letGo();
        long held = bytes;
        executor.execute(() -> {
            try {
                Message.Builder message = prototype.newBuilderForType();
                whole.readInto(message);
                call.request(ofPrototype(message));
            } catch (FailureException invalid) {
                call.refuse(invalid);
            } catch (RuntimeException | Error defect) {
                call.refuse(FailureException.causedBy(defect, ErrorReason.INTERNAL, "a request could not be read"));
            } finally {
                limits.ofAll().giveBack(held);
            }
        });
    }

    @SuppressWarnings("unchecked") // it is its builder
    private Q ofPrototype(Message.Builder message) {
        return (Q) message.build();
    }

    private void refuse(FailureException why) {
        stop();
        call.refuse(why);
    }

    /** Nobody wants it any more. */
    void stop() {
        if (body != null) {
            letGo();
            limits.ofAll().giveBack(bytes);
        }
    }

    private Body letGo() {
        Body taking = requireNonNull(body);
        body = null;
        vertx.cancelTimer(timer);
        return taking;
    }
}
