package dev.arc2face.gateway.grpc;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.GenerateResponse.EventCase;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a generation has told: kept, but for previews, places in the queue, and all progress but the latest; and passed on
 * to the one who listens. Whoever comes later hears what was told after the event that it names, and listens from then
 * on in the place of the one before.
 */
final class Recording {
    private final EventNumbers numbers;
    private final boolean outlivesListeners;

    // Guarded by this, which is taken before the lock of a writer, never after it.
    private final List<GenerateResponse> kept = new ArrayList<>();
    private @Nullable GenerateResponse progress;
    private long bytes;
    private @Nullable EventWriter listener;
    private boolean abandoned;
    private long after;
    private boolean complete;
    private @Nullable Throwable failure;

    /** @param outlivesListeners whether telling goes on when nobody listens; otherwise it throws what ended the listening */
    Recording(EventNumbers numbers, boolean outlivesListeners) {
        this.numbers = numbers;
        this.outlivesListeners = outlivesListeners;
    }

    /**
     * Tells the first event if the admission does not throw, before anything that the admitted work tells.
     *
     * @param admission gives what is to be told next, if anything
     */
    synchronized void begin(Supplier<Optional<GenerateResponse.Builder>> admission, GenerateResponse.Builder event) {
        Optional<GenerateResponse.Builder> next = admission.get();
        tell(event);
        next.ifPresent(this::tell);
    }

    synchronized void tell(GenerateResponse.Builder event) {
        GenerateResponse message = numbers.number(event);
        switch (message.getEventCase()) {
            case QUEUED, PREVIEW -> {}
            case STEP_PROGRESS -> progress = message;
            default -> {
                kept.add(message);
                bytes += message.getSerializedSize();
            }
        }
        pass(message);
    }

    /** Nothing is told any more. */
    synchronized void complete() {
        complete = true;
        if (listener != null) {
            listener.complete();
        }
    }

    /** Nothing is told any more; the first failure counts. */
    synchronized void fail(Throwable thrown) {
        if (failure == null && !complete) {
            failure = thrown;
            if (listener != null) {
                listener.fail(thrown);
            }
        }
    }

    /**
     * Listens from now on.
     *
     * @param heard the number of the last event that the listener has heard of, 0 for none
     * @return whether there is anything to listen to: nothing where the only listener has left and it goes no further
     */
    synchronized boolean listen(EventWriter writer, long heard) {
        if (abandoned) {
            return false;
        }
        if (listener != null) {
            listener.fail(FailureException.of(ErrorReason.CANCELLED, "a later call goes on with this generation"));
        }
        listener = writer;
        after = heard;
        List<GenerateResponse> told = new ArrayList<>(kept);
        if (progress != null) {
            told.add(progress);
        }
        told.sort(Comparator.comparingLong(GenerateResponse::getSequence));
        told.forEach(this::pass);
        if (failure != null) {
            writer.fail(failure);
        } else if (complete) {
            writer.complete();
        }
        return true;
    }

    /** Listens no more; whether that ends it. */
    synchronized boolean leave(EventWriter writer) {
        if (listener == writer) {
            listener = null;
            abandoned = !outlivesListeners;
        }
        return abandoned;
    }

    /** What is kept takes so much. */
    synchronized long bytes() {
        return bytes;
    }

    private void pass(GenerateResponse message) {
        boolean heard = message.getEventCase() == EventCase.QUEUED
                ? after > EventNumbers.ACCEPTED
                : message.getSequence() <= after;
        if (listener == null || heard) {
            return;
        }
        try {
            listener.send(message);
        } catch (FailureException ended) {
            if (!outlivesListeners) {
                throw ended;
            }
        }
    }
}
