package dev.arc2face.gateway.provenance;

/**
 * A network that draws.
 *
 * @param sha256 of its weights, lower-case hex; empty where the model server does not say
 */
public record Network(String name, String version, String sha256) {
    /** In words: {@code unet 1 sha256:4f0c...}. */
    @Override
    public String toString() {
        return name + " " + version + (sha256.isEmpty() ? "" : " sha256:" + sha256);
    }
}
