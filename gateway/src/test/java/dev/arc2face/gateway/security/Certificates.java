package dev.arc2face.gateway.security;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** A certificate authority of a test, made with the JDK's keytool, and what it has certified: PEM files in a folder. */
public final class Certificates {
    private static final String PASSWORD = "changeit";

    private final Path folder;

    private Certificates(Path folder) {
        this.folder = folder;
    }

    /** The authority whose files are in a folder, or a new one; {@code ca.pem} is its certificate. */
    public static Certificates in(Path folder) {
        Certificates certificates = new Certificates(folder);
        if (!Files.exists(certificates.ca())) {
            certificates.newKey("ca", "CN=test authority", "bc:c");
            certificates.write("ca.pem", certificates.keytool("ca", "-exportcert", "-rfc"));
        }
        return certificates;
    }

    public Path ca() {
        return folder.resolve("ca.pem");
    }

    public Path certificate(String name) {
        return folder.resolve(name + ".pem");
    }

    public Path key(String name) {
        return folder.resolve(name + ".key");
    }

    /**
     * Certifies a new key, in the place of an earlier one of that name.
     *
     * @param alternative name as keytool's {@code -ext san} takes it: {@code ip:127.0.0.1}, {@code uri:spiffe://a/b}
     */
    public void certify(String name, String alternative) {
        try {
            Files.deleteIfExists(store(name));
            newKey(name, "CN=" + name, "san=" + alternative);
            Path request = folder.resolve(name + ".csr");
            Files.writeString(request, keytool(name, "-certreq"));
            String certificate = keytool(
                    "ca",
                    "-gencert",
                    "-rfc",
                    "-infile",
                    request.toString(),
                    "-ext",
                    "san=" + alternative,
                    "-validity",
                    "2");
            write(name + ".key", privateKey(name));
            write(name + ".pem", certificate);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private void newKey(String name, String subject, String extension) {
        keytool(
                name,
                "-genkeypair",
                "-keyalg",
                "EC",
                "-groupname",
                "secp256r1",
                "-dname",
                subject,
                "-ext",
                extension,
                "-validity",
                "2");
    }

    private String privateKey(String name) {
        try (InputStream file = Files.newInputStream(store(name))) {
            KeyStore keys = KeyStore.getInstance("PKCS12");
            keys.load(file, PASSWORD.toCharArray());
            byte[] encoded = keys.getKey(name, PASSWORD.toCharArray()).getEncoded();
            return "-----BEGIN PRIVATE KEY-----\n"
                    + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(encoded)
                    + "\n-----END PRIVATE KEY-----\n";
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private Path store(String name) {
        return folder.resolve(name + ".p12");
    }

    private void write(String name, String text) {
        try {
            Files.writeString(folder.resolve(name), text);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private String keytool(String name, String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString()));
        command.addAll(List.of(arguments));
        command.addAll(List.of("-alias", name, "-keystore", store(name).toString(), "-storetype", "PKCS12"));
        command.addAll(List.of("-storepass", PASSWORD));
        try {
            Path output = Files.createTempFile(folder, "keytool", ".txt");
            Process process = new ProcessBuilder(command)
                    .redirectOutput(output.toFile())
                    .redirectError(folder.resolve("keytool.log").toFile())
                    .start();
            int status = process.waitFor();
            if (status != 0) {
                throw new IllegalStateException("keytool says " + status + ": " + Files.readString(output, US_ASCII));
            }
            return Files.readString(output, US_ASCII);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }
}
