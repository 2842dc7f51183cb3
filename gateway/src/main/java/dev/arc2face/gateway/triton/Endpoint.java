package dev.arc2face.gateway.triton;

import io.grpc.ManagedChannel;

/** Where a replica takes calls, how much it has to do, and whether it does it. */
final class Endpoint {
    private final String target;
    private volatile ManagedChannel channel;

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

    @Override
    public String toString() {
        return target;
    }
}
