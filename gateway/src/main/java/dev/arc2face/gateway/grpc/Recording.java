package dev.arc2face.gateway.grpc;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.GenerateResponse.EventCase;
import dev.arc2face.v1.PortraitImage;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a generation has told: kept, but for previews, and for places in the queue and progress but the latest; and
 * passed on to the one who listens. Whoever comes later hears what was told after the event that it names, and listens
 * from then on in the place of the one before.
 */
final class Recording {
    private final EventNumbers numbers;
    private final boolean outlivesListeners;

    // Guarded by this, which is taken before the lock of a writer, never after it.
    private final List<GenerateResponse> kept = new ArrayList<>();
    private final List<StreamObserver<GenerateResponse>> awaiting = new ArrayList<>(); // those who want the first event
    private @Nullable GenerateResponse place; // in the queue, while it waits there
    private @Nullable GenerateResponse progress;
    private @Nullable GenerateResponse latest;
    private long bytes;
    private @Nullable EventWriter listener;
    private boolean everHeard;
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
            case QUEUED -> place = message;
            case PREVIEW -> {}
            case STEP_PROGRESS -> progress = message;
            default -> {
                kept.add(message);
                bytes += message.getSerializedSize();
            }
        }
        if (message.getEventCase() != EventCase.PREVIEW) {
            latest = message;
        }
        if (message.getEventCase() != EventCase.QUEUED) {
            place = null;
        }
        awaiting.forEach(caller -> answer(caller, message));
        awaiting.clear();
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
            awaiting.forEach(caller -> caller.onError(ErrorStatus.carrying(thrown)));
            awaiting.clear();
            if (listener != null) {
                listener.fail(thrown);
            }
        }
    }

    /**
     * Answers with the first event, or with how it failed without one, now or as soon as it is so; whoever listens goes
     * on listening.
     *
     * @return whether there is anything to listen to, as in {@link #listen}
     */
    synchronized boolean tellFirst(StreamObserver<GenerateResponse> caller) {
        if (abandoned) {
            return false;
        }
        if (!kept.isEmpty()) {
            answer(caller, kept.get(0));
        } else if (failure != null) {
            caller.onError(ErrorStatus.carrying(failure));
        } else {
            awaiting.add(caller);
        }
        return true;
    }

    /**
     * Answers with the latest event that is no preview, or with how it failed.
     *
     * @return whether there is anything to tell: nothing before it has begun
     */
    synchronized boolean tellLatest(StreamObserver<GenerateResponse> caller) {
        if (failure != null) {
            caller.onError(ErrorStatus.carrying(failure));
        } else if (latest != null) {
            answer(caller, latest);
        }
        return failure != null || latest != null;
    }

    private static void answer(StreamObserver<GenerateResponse> caller, GenerateResponse event) {
        caller.onNext(event);
        caller.onCompleted();
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
        everHeard = true;
        after = heard;
        List<GenerateResponse> told = new ArrayList<>(kept);
        if (place != null) {
            told.add(place);
        }
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
            abandoned = endsUnheard();
        }
        return abandoned;
    }

    /** Nobody who has not come yet is waited for any longer; whether that ends it. */
    synchronized boolean giveUpWaiting() {
        abandoned |= !everHeard && endsUnheard();
        return abandoned;
    }

    private boolean endsUnheard() {
        return !outlivesListeners && !complete && failure == null;
    }

    /** Whether the only listener has left, and it goes no further. */
    synchronized boolean isAbandoned() {
        return abandoned;
    }

    /** A finished portrait, by its index. */
    synchronized Optional<PortraitImage> image(int index) {
        return kept.stream()
                .filter(GenerateResponse::hasImage)
                .map(GenerateResponse::getImage)
                .filter(image -> image.getImageIndex() == index)
                .findFirst();
    }

    /** Whether it has ended well, and nothing comes after that number. */
    synchronized boolean isOverAfter(long heard) {
        return complete && kept.get(kept.size() - 1).getSequence() <= heard;
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
