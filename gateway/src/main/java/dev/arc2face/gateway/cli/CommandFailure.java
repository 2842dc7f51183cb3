package dev.arc2face.gateway.cli;

import static java.util.Objects.requireNonNull;

/** Ends a command with an exit code and one sentence for the person in front of it. */
final class CommandFailure extends RuntimeException {
    private final ExitCode exitCode;

    CommandFailure(ExitCode exitCode, String message) {
        super(message);
        this.exitCode = exitCode;
    }

    ExitCode exitCode() {
        return exitCode;
    }

    String message() {
        return requireNonNull(getMessage());
    }
}
