package dev.arc2face.gateway.triton;

import io.grpc.ManagedChannel;

/** Where a replica takes calls, and how much it has to do. */
final class Endpoint {
    private volatile ManagedChannel channel;

    /** Rows of our calls that it has not answered; guarded by the {@link Replicas}. */
    int rowsInFlight;

    Endpoint(ManagedChannel channel) {
        this.channel = channel;
    }

    ManagedChannel channel() {
        return channel;
    }

    /** Later calls go here; those under way end where they are. */
    void moveTo(ManagedChannel next) {
        channel = next;
    }
}
