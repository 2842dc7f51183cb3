package dev.arc2face.gateway.admission;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A queue in which callers take turns: the next one is the first of the caller whose last turn is longest ago, and each
 * caller's own keep their order. Whoever has nothing waiting waits for at most one turn of everybody else, however much
 * the others have waiting. Adding, removing and taking cost O(1). Not safe for use by several threads.
 */
final class Turns<T> {
    /** What each caller has waiting, never nothing; the caller whose turn it is comes first. */
    private final LinkedHashMap<String, LinkedHashSet<T>> callers = new LinkedHashMap<>();

    private int size;

    void add(String caller, T entry) {
        if (callers.computeIfAbsent(caller, unused -> new LinkedHashSet<>()).add(entry)) {
            size++;
        }
    }

    /** Takes an entry out of its turn; false if it does not wait. */
    boolean remove(String caller, T entry) {
        LinkedHashSet<T> own = callers.get(caller);
        if (own == null || !own.remove(entry)) {
            return false;
        }
        size--;
        if (own.isEmpty()) {
            callers.remove(caller);
        }
        return true;
    }

    /** The entry whose turn is next; null if there is none. */
    @Nullable
    T peek() {
        return size == 0 ? null : callers.values().iterator().next().iterator().next();
    }

    /** Takes that entry, and its caller goes to the end of the round; null if there is none. */
    @Nullable
    T poll() {
        if (size == 0) {
            return null;
        }
        Map.Entry<String, LinkedHashSet<T>> first =
                callers.entrySet().iterator().next();
        String caller = first.getKey();
        LinkedHashSet<T> own = first.getValue();
        Iterator<T> entries = own.iterator();
        T entry = entries.next();
        entries.remove();
        callers.remove(caller);
        if (!own.isEmpty()) {
            callers.put(caller, own);
        }
        size--;
        return entry;
    }

    int size() {
        return size;
    }

    /** All that wait, in the order of their turns if none comes and none goes. */
    List<T> inOrder() {
        List<T> order = new ArrayList<>(size);
        Deque<Iterator<T>> round = new ArrayDeque<>();
        callers.values().forEach(own -> round.add(own.iterator()));
        while (!round.isEmpty()) {
            Iterator<T> own = round.remove();
            order.add(own.next());
            if (own.hasNext()) {
                round.add(own);
            }
        }
        return order;
    }
}
