package dev.arc2face.gateway.face;

/** A point in pixels of the upright photo; the origin is the top left corner of the top left pixel. */
public record Point(float x, float y) {}
