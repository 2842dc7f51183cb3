package dev.arc2face.gateway.cli;

import dev.arc2face.gateway.security.ApiKeys;
import dev.arc2face.gateway.security.Role;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "api-key",
        description = {
            "Makes a key for a caller. Standard output has the line for the server's file of keys"
                    + " (arc2face.security.api-keys-file), which cannot be turned back into the key;"
                    + " standard error has the key itself, which is kept nowhere."
        })
final class ApiKeyCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Parameters(paramLabel = "NAME", description = "The caller's name in logs: letters, digits, . _ @ -")
    private String name = "";

    @Option(
            names = "--roles",
            paramLabel = "ROLE",
            split = ",",
            defaultValue = "generate,embed",
            description = "generate, embed, admin (default: ${DEFAULT-VALUE}).")
    private List<String> roles = List.of();

    ApiKeyCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        String key = ApiKeys.newKey();
        try {
            terminal.out().println(ApiKeys.line(name, key, Role.parse(roles)));
        } catch (IllegalArgumentException wrong) {
            throw new CommandFailure(ExitCode.USAGE, String.valueOf(wrong.getMessage()));
        }
        terminal.err().println("key for " + name + ", to be sent as x-api-key: " + key);
        return ExitCode.OK.number();
    }
}
