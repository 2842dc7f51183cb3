package dev.arc2face.gateway.triton;

import io.grpc.Context;

/**
 * Model calls that nobody shares a batch with: each is filled up to the model's largest batch, which leaves Triton no
 * room for another caller's rows. A network on a CPU gives a row the same bits in any batch; an engine on a GPU may
 * choose other kernels for another batch size, and does not where the size is always the same. It costs the time of a
 * full batch for every call.
 */
public final class WholeBatches {
    private static final Context.Key<Boolean> ON = Context.keyWithDefault("whole batches", false);

    private WholeBatches() {}

    /** The context with calls of that kind. */
    public static Context in(Context context) {
        return context.withValue(ON, true);
    }

    /** Whether the current context's calls are of that kind. */
    static boolean areOn() {
        return ON.get();
    }
}
