package dev.arc2face.gateway.admission;

import java.util.HashMap;
import java.util.Map;

/** Places of each caller, up to a limit that is the same for all. Safe to use from any number of threads. */
public final class PerCaller {
    private final int limit;
    private final Map<String, Integer> taken = new HashMap<>(); // nobody is there with none; guarded by this

    /** @param limit 0 is as many as anybody wants */
    public PerCaller(int limit) {
        this.limit = limit == 0 ? Integer.MAX_VALUE : limit;
    }

    public int limit() {
        return limit;
    }

    /** Takes a place; false where the caller has all of its own. */
    public synchronized boolean take(String caller) {
        if (taken.getOrDefault(caller, 0) >= limit) {
            return false;
        }
        taken.merge(caller, 1, Integer::sum);
        return true;
    }

    /** Gives back a place that was taken. */
    public synchronized void giveBack(String caller) {
        if (taken.merge(caller, -1, Integer::sum) == 0) {
            taken.remove(caller);
        }
    }
}
