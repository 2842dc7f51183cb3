package dev.arc2face.gateway.face;

/**
 * How much of an identity a portrait's face shows.
 *
 * @param face the one that was scored, in pixels of the portrait
 * @param similarity cosine of its embedding and the identity's, -1 to 1
 */
public record ScoredFace(Face face, double similarity) {}
