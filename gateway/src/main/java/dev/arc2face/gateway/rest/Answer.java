package dev.arc2face.gateway.rest;

import io.vertx.core.http.HttpServerRequest;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The exchange of a call that is answered with one message. */
final class Answer<R> extends Exchange<R> {
    private final Function<R, Reply> form;
    private volatile @Nullable Reply reply;

    /** @param form what the message looks like over HTTP */
    Answer(HttpServerRequest request, Setting setting, Function<R, Reply> form) {
        super(request, setting);
        this.form = form;
    }

    @Override
    public long unsentBytes() {
        return 0;
    }

    @Override
    public void message(R message) {
        reply = form.apply(message);
    }

    @Override
    void complete() {
        Reply made = reply;
        if (made == null) {
            throw new IllegalStateException("a call without an answer has ended well");
        }
        answer(made);
    }
}
