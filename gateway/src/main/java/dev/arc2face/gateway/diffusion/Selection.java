package dev.arc2face.gateway.diffusion;

import dev.arc2face.gateway.diffusion.GenerationEvent.Portrait;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Which portraits are still to be drawn, and the best that has been drawn of each of them. Attempts are counted for all
 * together: a portrait that is open has been in every one of them. One owner, one thread.
 */
final class Selection {
    private final SimilarityFloor floor;
    private final List<Integer> open;
    private final Map<Integer, Portrait> best = new TreeMap<>(); // of those that were not good enough, by their index

    /** @param portraits how many there are to be, at least 1 */
    Selection(SimilarityFloor floor, int portraits) {
        this.floor = floor;
        this.open = new ArrayList<>(IntStream.range(0, portraits).boxed().toList());
    }

    /** Indexes of those that are to be drawn, rising. */
    List<Integer> open() {
        return List.copyOf(open);
    }

    /**
     * Takes a portrait that has been drawn.
     *
     * @return what becomes of it where that is settled: this one where it is good enough, the most similar one where this
     *     was the last attempt; otherwise it stays open
     */
    Optional<Portrait> take(Portrait drawn) {
        Integer index = drawn.imageIndex();
        boolean reached = floor.isReachedBy(drawn.score());
        Portrait better = best.merge(index, drawn, Selection::better);
        if (!reached && drawn.attempts() < floor.maxAttempts()) {
            return Optional.empty();
        }
        open.remove(index);
        best.remove(index);
        return Optional.of(reached ? drawn : better.settled(drawn.attempts()));
    }

    /** The more similar one, the earlier of equals; one without a face is less similar than any other. */
    private static Portrait better(Portrait earlier, Portrait later) {
        return similarity(later) > similarity(earlier) ? later : earlier;
    }

    private static double similarity(Portrait portrait) {
        return portrait.score().map(scored -> scored.similarity()).orElse(Double.NEGATIVE_INFINITY);
    }
}
