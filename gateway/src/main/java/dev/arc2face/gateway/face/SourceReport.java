package dev.arc2face.gateway.face;

import java.util.OptionalDouble;

/**
 * What became of one of the sources that an identity was made of.
 *
 * @param report what the detector saw in it
 * @param similarity cosine of its embedding and the average's; empty in an interpolation
 * @param used whether it is part of the identity
 */
public record SourceReport(FaceReport report, OptionalDouble similarity, boolean used) {}
