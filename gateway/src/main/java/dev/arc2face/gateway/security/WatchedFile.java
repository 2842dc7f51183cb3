package dev.arc2face.gateway.security;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Function;
import org.jboss.logging.Logger;

/** What a file says. A change that cannot be read is logged, and what the file said before still holds. */
final class WatchedFile<T> {
    private static final Logger LOG = Logger.getLogger(WatchedFile.class);

    private final Path file;
    private final Function<String, T> parse;
    private volatile T meaning;
    private String text; // only the thread that looks touches it, after construction

    /**
     * Reads the file.
     *
     * @param key of the configuration that names the file
     * @param parse throws IllegalArgumentException where the text is wrong
     * @throws IllegalArgumentException where it cannot be read or is wrong
     */
    WatchedFile(String key, Path file, Function<String, T> parse) {
        this.file = file;
        this.parse = parse;
        try {
            this.text = Files.readString(file);
            this.meaning = parse.apply(text);
        } catch (IOException unreadable) {
            throw new IllegalArgumentException(key + ": " + file + " cannot be read: " + unreadable, unreadable);
        } catch (IllegalArgumentException wrong) {
            throw new IllegalArgumentException(key + ": " + file + ": " + wrong.getMessage(), wrong);
        }
    }

    T get() {
        return meaning;
    }

    /** Reads it anew if it has changed. */
    void look() {
        try {
            String now = Files.readString(file);
            if (!now.equals(text)) {
                text = now;
                meaning = parse.apply(now);
                LOG.infof("%s has changed and was read", file);
            }
        } catch (IOException | IllegalArgumentException wrong) {
            LOG.errorf("%s cannot be read, and what it said before holds: %s", file, wrong.getMessage());
        }
    }
}
