package dev.arc2face.gateway.triton;

import io.grpc.ManagedChannel;

/** Where a replica takes calls, how much it has to do, and whether it does it. */
final class Endpoint {
    /**
     * How much it has to do, and whether it does it.
     *
     * @param rows of our calls that it has not answered
     */
    record Load(int rows, Breaker.State breaker) {}

    private final String target;
    private volatile ManagedChannel channel;
    private volatile boolean gone;
    private volatile Load load = new Load(0, Breaker.State.CLOSED);

    // Guarded by the Replicas.
    final Breaker breaker = new Breaker();
    /** Rows of our calls that it has not answered. */
    int rowsInFlight;

    /** @param target as the log names it */
    Endpoint(String target, ManagedChannel channel) {
        this.target = target;
        this.channel = channel;
    }

    ManagedChannel channel() {
        return channel;
    }

    /** Later calls go here; those under way end where they are. */
    void moveTo(ManagedChannel next) {
        channel = next;
    }

    /** Nothing begins here any more. */
    void isNowGone() {
        gone = true;
    }

    boolean isGone() {
        return gone;
    }

    /** What is guarded has changed: whoever looks sees it. */
    void show() {
        load = new Load(rowsInFlight, breaker.state());
    }

    /** What was last shown. */
    Load load() {
        return load;
    }

    @Override
    public String toString() {
        return target;
    }
}
