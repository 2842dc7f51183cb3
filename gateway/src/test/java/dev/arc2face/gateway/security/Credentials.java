package dev.arc2face.gateway.security;

import io.grpc.Metadata;

/** Metadata of calls that say who calls. */
public final class Credentials {
    private Credentials() {}

    public static Metadata key(String key) {
        return header("x-api-key", key);
    }

    public static Metadata bearer(String token) {
        return header("authorization", "Bearer " + token);
    }

    public static Metadata header(String name, String value) {
        Metadata headers = new Metadata();
        headers.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value);
        return headers;
    }
}
