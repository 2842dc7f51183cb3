package dev.arc2face.gateway.triton;

import dev.arc2face.inference.ServerMetadataResponse;
import java.util.Map;

/** What a Triton says about itself and the contract's models. */
record Served(ServerMetadataResponse server, Map<String, Description> models) {
    static final Served NOTHING = new Served(ServerMetadataResponse.getDefaultInstance(), Map.of());

    /** Whether both compute the same: of one version, with the same models by configuration and hash. */
    boolean isInterchangeableWith(Served other) {
        return server.getVersion().equals(other.server.getVersion()) && models.equals(other.models);
    }
}
