package dev.arc2face.gateway.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ReceiptsConfigTest {
    @Test
    void nothingIsSignedByDefault() {
        ReceiptsConfig config = Configs.of(ReceiptsConfig.class, Map.of());
        ReceiptsConfig.check(config);
        assertThat(config.identityKey()).isEmpty();
        assertThat(config.signingKey()).isEmpty();
        assertThat(config.publicKeys()).isEmpty();
    }

    @Test
    void everyKeyIsRead() {
        ReceiptsConfig config = Configs.of(
                ReceiptsConfig.class,
                Map.of(
                        "arc2face.receipts.identity-key", "identity.key",
                        "arc2face.receipts.signing-key", "signing.pem",
                        "arc2face.receipts.public-keys", "public.pem,earlier.pem"));
        ReceiptsConfig.check(config);
        assertThat(config.identityKey()).contains(Path.of("identity.key"));
        assertThat(config.signingKey()).contains(Path.of("signing.pem"));
        assertThat(config.publicKeys()).contains(List.of(Path.of("public.pem"), Path.of("earlier.pem")));
    }

    @Test
    void aSigningKeyNeedsItsPublicKey() {
        ReceiptsConfig config =
                Configs.of(ReceiptsConfig.class, Map.of("arc2face.receipts.signing-key", "signing.pem"));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ReceiptsConfig.check(config))
                .withMessageContaining("arc2face.receipts.public-keys");
    }
}
