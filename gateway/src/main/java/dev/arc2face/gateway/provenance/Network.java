package dev.arc2face.gateway.provenance;

import java.util.Set;

/**
 * A network that a portrait comes from, or that judges one.
 *
 * @param sha256 of its weights, lower-case hex; empty where the model server does not say
 */
public record Network(String name, String version, String sha256) {
    private static final Set<String> JUDGES = Set.of("face_detector", "arcface");
    private static final String GUIDED = "_guided"; // the same network and weights, guidance inside

    /** Whether the network of that name is one that portraits come from. */
    public static boolean draws(String name) {
        return !JUDGES.contains(name) && !name.endsWith(GUIDED);
    }

    /** In words: {@code unet 1 sha256:4f0c...}. */
    @Override
    public String toString() {
        return name + " " + version + (sha256.isEmpty() ? "" : " sha256:" + sha256);
    }
}
