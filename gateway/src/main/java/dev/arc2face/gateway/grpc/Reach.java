package dev.arc2face.gateway.grpc;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Optional;

/**
 * Who reaches a port, and how.
 *
 * @param key of the address that it listens at
 * @param tlsKey of what encrypts it
 * @param encrypted whether it is encrypted
 * @param plainKey of whether there is a port beside it that is not
 * @param plain whether there is
 */
record Reach(String key, String host, String tlsKey, boolean encrypted, String plainKey, boolean plain) {
    /** A port that either encrypts or does not. */
    static Reach of(String key, String host, String tlsKey, boolean encrypted) {
        return new Reach(key, host, tlsKey, encrypted, "", false);
    }

    /** The same with another port beside it, at the same address. */
    Reach beside(String key, boolean plain) {
        return new Reach(this.key, host, tlsKey, encrypted, key, plain);
    }

    /**
     * Nobody else may reach a server that asks nobody, unless its operator says so.
     *
     * @throws IllegalArgumentException where somebody may
     */
    void check(boolean asks, boolean allowAnonymous) {
        if (!asks && !allowAnonymous && !isLoopback()) {
            throw new IllegalArgumentException(key + " is " + host + ", where others can reach the"
                    + " server, and nobody is asked who they are: configure arc2face.security.api-keys-file,"
                    + " arc2face.security.jwt.issuer or arc2face.security.tls.client-ca, or let everybody in by"
                    + " arc2face.security.allow-anonymous=true");
        }
    }

    /** How credentials can be read on their way. */
    Optional<String> warning() {
        if (isLoopback() || (encrypted && !plain)) {
            return Optional.empty();
        }
        return Optional.of(
                encrypted
                        ? "credentials may come in the clear at " + host + ", beside the encrypted port: set "
                                + plainKey + "=disabled"
                        : "credentials come in the clear at " + host + ": configure " + tlsKey
                                + ", unless a proxy or a mesh encrypts");
    }

    private boolean isLoopback() {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException unknown) {
            return false;
        }
    }
}
