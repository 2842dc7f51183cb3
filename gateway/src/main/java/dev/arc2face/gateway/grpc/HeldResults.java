package dev.arc2face.gateway.grpc;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;

/**
 * What results take while they are held for their callers: no more than so much of each caller's, and of all together; the
 * oldest go first. Whatever leaves has its expiry called off, so that no timer holds it any longer. Guarded by whoever has
 * it.
 */
final class HeldResults {
    private final long mostOfCaller;
    private final long most;
    private final Results all = new Results();
    private final Map<String, Results> callers = new HashMap<>(); // of those who have any

    private record Held(long bytes, Future<?> expiry) {}

    private static final class Results {
        private final Map<Generations.Key, Held> byAge = new LinkedHashMap<>(); // the oldest first
        private long bytes;

        void add(Generations.Key name, Held result) {
            byAge.put(name, result);
            bytes += result.bytes;
        }

        void remove(Generations.Key name, Held result) {
            byAge.remove(name);
            bytes -= result.bytes;
        }

        Generations.Key oldest() {
            return byAge.keySet().iterator().next();
        }
    }

    HeldResults(long mostOfCaller, long most) {
        this.mostOfCaller = mostOfCaller;
        this.most = most;
    }

    /** Whether there can be room for so much. */
    boolean fits(long bytes) {
        return bytes <= Math.min(mostOfCaller, most);
    }

    /**
     * Lets the oldest go until there is room for another one.
     *
     * @param bytes of the other one, which must fit
     * @return what is gone
     */
    List<Generations.Key> makeRoom(String caller, long bytes) {
        List<Generations.Key> gone = new ArrayList<>();
        Results ofCaller = callers.get(caller);
        while (ofCaller != null && ofCaller.bytes > mostOfCaller - bytes) {
            gone.add(letGo(ofCaller.oldest()));
        }
        while (all.bytes > most - bytes) {
            gone.add(letGo(all.oldest()));
        }
        return gone;
    }

    private Generations.Key letGo(Generations.Key name) {
        remove(name);
        return name;
    }

    /** @param expiry what would let it go later */
    void add(Generations.Key name, long bytes, Future<?> expiry) {
        Held result = new Held(bytes, expiry);
        all.add(name, result);
        callers.computeIfAbsent(name.caller(), caller -> new Results()).add(name, result);
    }

    /** Lets it go, if it is here. */
    void remove(Generations.Key name) {
        Held result = all.byAge.get(name);
        if (result == null) {
            return;
        }
        result.expiry.cancel(false);
        all.remove(name, result);
        Results ofCaller = requireNonNull(callers.get(name.caller()));
        ofCaller.remove(name, result);
        if (ofCaller.byAge.isEmpty()) {
            callers.remove(name.caller());
        }
    }
}
