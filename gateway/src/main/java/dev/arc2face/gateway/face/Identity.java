package dev.arc2face.gateway.face;

/** Who is meant, and how that was found out. */
public record Identity(Embedding embedding, FaceReport report) {}
