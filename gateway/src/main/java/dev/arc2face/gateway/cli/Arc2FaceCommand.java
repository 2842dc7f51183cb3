package dev.arc2face.gateway.cli;

import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.dataset.DatasetException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/** The command-line client. It never prints a stack trace; its exit codes are those of {@link ExitCode}. */
@Command(
        name = "arc2face",
        description = "Portraits of a person from one photo, by way of an Arc2Face gateway.",
        synopsisSubcommandLabel = "COMMAND",
        footer = {"%nWithout a command the server itself starts."})
public final class Arc2FaceCommand implements Runnable {
    private static final long INTERRUPT_PATIENCE_SECONDS = 3;

    private final CommandLine commandLine;

    Arc2FaceCommand(Terminal terminal) {
        commandLine = new CommandLine(this)
                .addSubcommand(new GenerateCommand(terminal))
                .addSubcommand(new DatasetCommand(terminal))
                .addSubcommand(new DetectCommand(terminal))
                .addSubcommand(new EmbedCommand(terminal))
                .addSubcommand(new CompareCommand(terminal))
                .addSubcommand(new ReplayCommand(terminal))
                .addSubcommand(new VerifyCommand(terminal))
                .addSubcommand(new InfoCommand(terminal))
                .addSubcommand(new ApiKeyCommand(terminal))
                .setOut(new PrintWriter(terminal.out(), true, StandardCharsets.UTF_8))
                .setErr(new PrintWriter(terminal.err(), true, StandardCharsets.UTF_8))
                .setParameterExceptionHandler((failure, args) -> {
                    terminal.err()
                            .println("error: " + plain(failure) + "; see "
                                    + failure.getCommandLine().getCommandSpec().qualifiedName() + " --help");
                    return ExitCode.USAGE.number();
                })
                .setExecutionExceptionHandler((failure, command, parsed) -> {
                    CommandFailure told = told(failure);
                    terminal.err().println(Terminal.harmless("error: " + told.message()));
                    return told.exitCode().number();
                });
        describe(commandLine);
        commandLine.getSubcommands().values().forEach(Arc2FaceCommand::describe);
    }

    /**
     * Runs the client with the process's streams; ctrl-C cancels the call that is under way.
     *
     * @return the exit code
     */
    public static int run(String... args) {
        Thread worker = Thread.currentThread();
        CountDownLatch done = new CountDownLatch(1);
        Thread interruption = new Thread(() -> interrupt(worker, done), "interruption");
        Runtime.getRuntime().addShutdownHook(interruption);
        try {
            return new Arc2FaceCommand(Terminal.ofProcess()).execute(args);
        } finally {
            done.countDown();
        }
    }

    int execute(String... args) {
        return commandLine.execute(args);
    }

    @Override
    public void run() {
        throw new ParameterException(commandLine, "no command given");
    }

    /** At the end of the process: if a command still runs, stops it and gives it time to tell the server. */
    private static void interrupt(Thread worker, CountDownLatch done) {
        if (done.getCount() > 0) {
            worker.interrupt();
            try {
                var unused = done.await(INTERRUPT_PATIENCE_SECONDS, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                worker.interrupt();
            }
        }
    }

    /** Picocli starts some messages of its own with "Error: ", and not others. */
    private static String plain(ParameterException failure) {
        String message = String.valueOf(failure.getMessage());
        return message.startsWith("Error: ") ? message.substring("Error: ".length()) : message;
    }

    private static CommandFailure told(Exception failure) {
        if (failure instanceof CommandFailure known) {
            return known;
        }
        if (failure instanceof DatasetException refused) {
            return new CommandFailure(ExitCode.BAD_INPUT, refused.message() + " [" + refused.problem() + "]");
        }
        if (failure instanceof FailureException refused) {
            return new CommandFailure(ExitCode.BAD_INPUT, refused.message() + " [" + refused.reason() + "]");
        }
        return new CommandFailure(ExitCode.OTHER, "a defect of this client: " + failure);
    }

    private static void describe(CommandLine command) {
        command.getCommandSpec()
                .addOption(OptionSpec.builder("-h", "--help")
                        .usageHelp(true)
                        .description("Show this help and exit.")
                        .build());
        command.getCommandSpec()
                .usageMessage()
                .sortOptions(false)
                .exitCodeListHeading("%nExit codes:%n")
                .exitCodeList(ExitCode.table());
    }
}
