package dev.arc2face.gateway.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.arc2face.gateway.receipt.PictureCheck;
import dev.arc2face.gateway.receipt.PictureCheck.Finding;
import dev.arc2face.gateway.receipt.PictureCheck.Verdict;
import dev.arc2face.gateway.receipt.PublicKeys;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "verify",
        description = {
            "Tells whether a picture is one of a receipt's, unchanged. Calls no server.",
            "Without --public-key nobody can tell who wrote the receipt."
        })
final class VerifyCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Parameters(index = "0", paramLabel = "PICTURE", description = "PNG, JPEG or WebP.")
    @SuppressWarnings("NullAway.Init")
    private Path picture;

    @Parameters(index = "1", paramLabel = "RECEIPT", description = "What `generate` wrote beside it.")
    @SuppressWarnings("NullAway.Init")
    private Path receipt;

    @Option(
            names = "--public-key",
            paramLabel = "FILE",
            description = "Of the gateway that must have signed the receipt, Ed25519, PEM; `info --json` tells it.")
    private @Nullable Path publicKey;

    @Option(names = "--json", description = "Print the findings as a line of JSON.")
    private boolean json;

    VerifyCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        Optional<PublicKey> key = Optional.ofNullable(publicKey).map(VerifyCommand::key);
        List<Finding> findings = PictureCheck.check(Inputs.read(picture), ReceiptFile.read(receipt), key);
        boolean holds = findings.stream().noneMatch(finding -> finding.verdict() == Verdict.BROKEN);
        if (json) {
            terminal.out().println(json(findings, holds));
        } else {
            findings.forEach(finding -> terminal.out().println(line(finding)));
        }
        return (holds ? ExitCode.OK : ExitCode.MISMATCH).number();
    }

    private static PublicKey key(Path file) {
        try {
            return PublicKeys.parse(new String(Inputs.read(file), StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new CommandFailure(
                    ExitCode.BAD_INPUT, file + " is no Ed25519 public key in PEM: " + Inputs.firstLine(e.getMessage()));
        }
    }

    private static String line(Finding finding) {
        String verdict = switch (finding.verdict()) {
            case HOLDS -> "yes";
            case UNKNOWN -> "?";
            case BROKEN -> "NO";
        };
        return String.format(Locale.ROOT, "%-4s %s", verdict, Terminal.harmless(finding.sentence()));
    }

    private static JsonObject json(List<Finding> findings, boolean holds) {
        JsonArray all = new JsonArray();
        for (Finding finding : findings) {
            JsonObject one = new JsonObject();
            one.addProperty("verdict", finding.verdict().name().toLowerCase(Locale.ROOT));
            one.addProperty("sentence", Terminal.harmless(finding.sentence()));
            all.add(one);
        }
        JsonObject document = new JsonObject();
        document.addProperty("holds", holds);
        document.add("findings", all);
        return document;
    }
}
