package dev.arc2face.gateway.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;

/**
 * Where a command writes.
 *
 * @param out results: file names, tables, JSON
 * @param err progress and errors
 * @param live whether a person looks at {@code err} on a terminal that can redraw its last line
 */
record Terminal(PrintStream out, PrintStream err, boolean live) {
    private static final Pattern NOT_WRITING = Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}]");

    /** The process's own streams, in UTF-8 whatever the locale, as JSON must be. */
    static Terminal ofProcess() {
        String kind = System.getenv("TERM");
        boolean live = isTerminal(Path.of("/proc/self/fd/2")) && kind != null && !kind.equals("dumb");
        return new Terminal(
                new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8),
                new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8),
                live);
    }

    /**
     * A sentence that may have a stranger's words in it, as one line that a terminal does nothing with but write it: what moves
     * the cursor, changes colours or turns the direction of writing could make another line say what it does not.
     */
    static String harmless(String sentence) {
        return NOT_WRITING.matcher(sentence).replaceAll("\uFFFD");
    }

    /** Asks Linux what the stream is: Java's own answer covers all three streams at once, and changed in JDK 22. */
    private static boolean isTerminal(Path descriptor) {
        try {
            String target = Files.readSymbolicLink(descriptor).toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty") || target.equals("/dev/console");
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }
}
