package dev.arc2face.gateway.config;

import io.smallrye.config.ConfigMapping;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The keys of receipts. Files are read when the gateway starts. */
@ConfigMapping(prefix = "arc2face.receipts")
public interface ReceiptsConfig {
    /** The secret that receipts are bound to their photo with; otherwise one that ends with the gateway. */
    Optional<Path> identityKey();

    /** What receipts are signed with: a private Ed25519 key, PKCS#8 PEM; otherwise they are not signed. */
    Optional<Path> signingKey();

    /** Public keys of receipts' signatures, PEM: that of the signing key first, then those of earlier ones. */
    Optional<List<Path>> publicKeys();

    /** Refuses what makes no sense together. */
    static void check(ReceiptsConfig config) {
        if (config.signingKey().isPresent() && config.publicKeys().isEmpty()) {
            throw new IllegalArgumentException(
                    "arc2face.receipts.signing-key and arc2face.receipts.public-keys go together");
        }
    }
}
