package dev.arc2face.gateway.receipt;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.util.List;
import java.util.Optional;

/** An Ed25519 key that OpenSSL has made: PEM files in a folder. */
public record Keys(Path signing, Path publicKeyFile) {
    /** The key whose files are in a folder, or a new one. */
    public static Keys in(Path folder) {
        Keys keys = new Keys(folder.resolve("signing.pem"), folder.resolve("public.pem"));
        if (!Files.exists(keys.signing)) {
            try {
                Files.createDirectories(folder);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            openssl("genpkey", "-algorithm", "ed25519", "-out", keys.signing.toString());
            openssl("pkey", "-in", keys.signing.toString(), "-pubout", "-out", keys.publicKeyFile.toString());
        }
        return keys;
    }

    ReceiptSigner signer() {
        return ReceiptSigner.of(Optional.of(signing), List.of(publicKeyFile));
    }

    public PublicKey publicKey() {
        try {
            return PublicKeys.parse(Files.readString(publicKeyFile));
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** What OpenSSL says. */
    static String openssl(String... arguments) {
        List<String> command = new java.util.ArrayList<>(List.of("openssl"));
        command.addAll(List.of(arguments));
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new IllegalStateException(String.join(" ", command) + ": " + said);
            }
            return said;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
