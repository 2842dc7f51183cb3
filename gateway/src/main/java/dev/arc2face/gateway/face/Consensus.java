package dev.arc2face.gateway.face;

import static java.util.stream.Collectors.joining;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * What several embeddings of one person agree on. While the one that is least like the others, by the mean of its cosines
 * to them, is below the threshold, it is taken out. (The cosine to the others' mean would not do: two people in equal parts
 * all look like the mean of both.) What is left must be the majority: of two and two people nobody can say who is meant.
 *
 * @param embedding the mean of those that agree, at unit length
 * @param members whether each embedding is one of those
 * @param similarities cosine of each embedding, those left out too, and the mean
 */
record Consensus(Embedding embedding, List<Boolean> members, List<Double> similarities) {
    Consensus {
        members = List.copyOf(members);
        similarities = List.copyOf(similarities);
    }

    /**
     * Finds it.
     *
     * @param embeddings at least two, of unit length
     * @param threshold the least cosine of one person's embeddings
     * @throws FailureException IDENTITIES_DISAGREE where no more than half of them agree
     */
    static Consensus of(List<Embedding> embeddings, double threshold) {
        List<Integer> members =
                new ArrayList<>(IntStream.range(0, embeddings.size()).boxed().toList());
        double lowest = 1;
        while (members.size() > 1) {
            int worst = worst(embeddings, members);
            double similarity = similarityToOthers(embeddings, members, worst);
            if (similarity >= threshold) {
                break;
            }
            lowest = similarity;
            if (members.size() == 2) {
                members.clear(); // neither is nearer to the truth than the other
            } else {
                members.remove(Integer.valueOf(worst));
            }
        }
        if (2 * members.size() <= embeddings.size()) {
            throw disagreement(embeddings.size(), members, threshold, lowest);
        }
        Embedding mean = Embedding.mean(members.stream().map(embeddings::get).toList());
        return new Consensus(
                mean,
                IntStream.range(0, embeddings.size())
                        .mapToObj(members::contains)
                        .toList(),
                embeddings.stream().map(mean::similarityTo).toList());
    }

    /** The least similar to the others; of equals the last. */
    private static int worst(List<Embedding> embeddings, List<Integer> members) {
        int worst = members.get(0);
        double lowest = Double.POSITIVE_INFINITY;
        for (int member : members) {
            double similarity = similarityToOthers(embeddings, members, member);
            if (similarity <= lowest) {
                lowest = similarity;
                worst = member;
            }
        }
        return worst;
    }

    private static double similarityToOthers(List<Embedding> embeddings, List<Integer> members, int member) {
        Embedding own = embeddings.get(member);
        return members.stream()
                .filter(other -> other != member)
                .mapToDouble(other -> own.similarityTo(embeddings.get(other)))
                .average()
                .orElseThrow();
    }

    private static FailureException disagreement(int size, List<Integer> agreeing, double threshold, double lowest) {
        String disagreeing = IntStream.range(0, size)
                .filter(index -> !agreeing.contains(index))
                .mapToObj(String::valueOf)
                .collect(joining(","));
        return FailureException.of(
                ErrorReason.IDENTITIES_DISAGREE,
                "the sources do not show one person: no more than half of them agree; leave out " + disagreeing
                        + " (counted from 0), or those that are somebody else",
                Map.of(
                        "disagreeing", disagreeing,
                        "threshold", String.format(Locale.ROOT, "%.3f", threshold),
                        "lowest_similarity", String.format(Locale.ROOT, "%.3f", lowest)));
    }
}
