package dev.arc2face.gateway.admission;

import static java.util.Objects.requireNonNull;

import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.diffusion.GenerationEvent;
import dev.arc2face.gateway.diffusion.Workload;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A call's place, from its first byte to its end. It is given back exactly once: by {@link #release} if the call never
 * becomes a generation, by {@link #withdraw} if it ends while it waits, otherwise when the generation has run.
 */
public final class Place {
    enum State {
        RESERVED,
        WAITING,
        BEGUN,
        DENOISING,
        FINISHING,
        GONE
    }

    private final Admission admission;
    final String caller;

    // All below is guarded by the admission.
    State state = State.RESERVED;
    private @Nullable Demand demand;
    /** Of its present attempt; the demand has that of the first. */
    private @Nullable Workload workload;

    private @Nullable Generation generation;
    /** The position that its caller has been told. */
    int told;
    /** When it came into its state, by nanoTime. */
    long since;

    int stepsDone;
    /** When its present step began, by nanoTime, and the admission's row seconds then. */
    long stepBegan;

    double rowSecondsBefore;

    Place(Admission admission, String caller) {
        this.admission = admission;
        this.caller = caller;
    }

    /** Gives the place back if nothing has been made of it; tells whether that was so. */
    public boolean release() {
        return admission.release(this);
    }

    /**
     * Makes a generation of it, which starts now or waits for its turn.
     *
     * @return where it waits; empty if it starts at once
     * @throws FailureException QUEUE_FULL where the requests that wait are too large together; DEADLINE_UNREACHABLE
     *     where it would not end in time; SHUTTING_DOWN; CANCELLED where the place has been given back already
     */
    public Optional<Turn> enter(Demand what, Generation whose) {
        return admission.enter(this, what, whose);
    }

    /** Gives the place back if its generation still waits, and tells it why. */
    public void withdraw(FailureException why) {
        admission.withdraw(this, why);
    }

    /**
     * The events of the running generation, so that the admission learns from them on their way. Throws
     * DEADLINE_EXCEEDED after a step from which on the deadline is out of reach.
     */
    public Consumer<GenerationEvent> watching(Consumer<GenerationEvent> events) {
        return event -> {
            admission.happened(this, event);
            events.accept(event);
            admission.stepBegins(this);
        };
    }

    void becomes(Demand what, Generation whose) {
        demand = what;
        workload = what.workload();
        generation = whose;
    }

    void become(State next, long now) {
        state = next;
        since = now;
    }

    Demand demand() {
        return requireNonNull(demand);
    }

    /** Seconds that it has left; infinitely many where it has no deadline. */
    double left(long now) {
        OptionalLong deadline = demand().deadline();
        return deadline.isPresent() ? (deadline.getAsLong() - now) / 1e9 : Double.POSITIVE_INFINITY;
    }

    boolean hasDeadline() {
        return demand().deadline().isPresent();
    }

    Workload workload() {
        return requireNonNull(workload);
    }

    /** It begins anew, with this; none of its calls is in flight. */
    void beginsAttempt(Workload next) {
        workload = next;
        stepsDone = 0;
    }

    Generation generation() {
        return requireNonNull(generation);
    }

    /** Rows of its calls that are in flight. */
    double rows() {
        return state == State.DENOISING ? workload().partOf(stepsDone + 1).rowsPerCall() : 0;
    }
}
