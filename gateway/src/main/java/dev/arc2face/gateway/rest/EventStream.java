package dev.arc2face.gateway.rest;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.GenerateResponse.EventCase;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;

/**
 * The exchange of a call that is answered with server-sent events (the EventSource of browsers). A reader that is slow
 * makes the call wait: what is on its way to it is counted until it has left. Where there is nothing to say for a while
 * a comment keeps the connection alive.
 */
final class EventStream extends Exchange<GenerateResponse> {
    static final String MEDIA_TYPE = "text/event-stream";

    /** The id of an event after which there is none worth coming back for. */
    static final String END = "end";

    private static final Buffer HEARTBEAT = Buffer.buffer(":\n\n");

    private final UnaryOperator<GenerateResponse> view;
    private final Duration heartbeat;
    private final AtomicLong unsent = new AtomicLong();

    // Of the event loop alone.
    private boolean open;
    private long heartbeatTimer;

    /** @param view what of an event its listener wants */
    EventStream(HttpServerRequest request, Setting setting, Duration heartbeat, UnaryOperator<GenerateResponse> view) {
        super(request, setting);
        this.heartbeat = heartbeat;
        this.view = view;
    }

    /** Tells a listener that it listens, although nothing may happen for a while; unless the call has ended already. */
    void open() {
        afterCall(() -> {
            if (!isEnded() && !open) {
                beat();
            }
        });
    }

    @Override
    public long unsentBytes() {
        return unsent.get();
    }

    @Override
    public void message(GenerateResponse event) {
        Buffer bytes = Buffer.buffer(
                event(Long.toUnsignedString(event.getSequence()), name(event), JsonWriting.line(view.apply(event))));
        unsent.addAndGet(bytes.length());
        eventLoop().execute(() -> {
            if (isEnded()) {
                unsent.addAndGet(-bytes.length());
            } else {
                write(bytes);
            }
        });
    }

    private void write(Buffer bytes) {
        if (!open) {
            open = true;
            head(HttpStatus.OK)
                    .setChunked(true)
                    .putHeader(HttpHeaderNames.CONTENT_TYPE, MEDIA_TYPE)
                    .putHeader("X-Accel-Buffering", "no"); // nginx would keep events until it has a page of them
        }
        response().write(bytes).onComplete(left -> {
            unsent.addAndGet(-bytes.length());
            call().ready();
        });
        vertx().cancelTimer(heartbeatTimer);
        heartbeatTimer = vertx().setTimer(heartbeat.toMillis(), silent -> beat());
    }

    private void beat() {
        if (unsent.get() == 0) {
            unsent.addAndGet(HEARTBEAT.length());
            write(HEARTBEAT);
        } else {
            heartbeatTimer = vertx().setTimer(heartbeat.toMillis(), silent -> beat());
        }
    }

    @Override
    void complete() {
        if (open) {
            finish(Buffer.buffer());
        } else {
            answer(Reply.empty(HttpStatus.NO_CONTENT)); // which tells an EventSource not to come back
        }
    }

    @Override
    void fail(Problem problem) {
        if (!open) {
            answer(problem);
        } else if (problem.reason() == ErrorReason.CLIENT_TOO_SLOW) {
            cut(); // it reads nothing, and could not be told
        } else {
            finish(Buffer.buffer(event(END, "error", problem.json())));
        }
    }

    @Override
    void over() {
        super.over();
        vertx().cancelTimer(heartbeatTimer);
    }

    private static String event(String id, String name, String data) {
        return "id: " + id + "\nevent: " + name + "\ndata: " + data + "\n\n";
    }

    /** As the oneof's fields are called in JSON. */
    private static String name(GenerateResponse event) {
        EventCase which = event.getEventCase();
        return GenerateResponse.getDescriptor()
                .findFieldByNumber(which.getNumber())
                .getJsonName();
    }
}
