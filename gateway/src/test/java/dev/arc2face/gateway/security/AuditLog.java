package dev.arc2face.gateway.security;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** What the gateway writes to its audit log from now on. */
public final class AuditLog implements AutoCloseable {
    private final List<JsonObject> lines = new CopyOnWriteArrayList<>();
    private final Logger log = Logger.getLogger("dev.arc2face.audit");
    private final Handler handler = new Handler() {
        @Override
        public void publish(LogRecord line) {
            lines.add(JsonParser.parseString(line.getMessage()).getAsJsonObject());
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };

    /** Begins to listen. */
    public AuditLog() {
        log.addHandler(handler);
    }

    /** In the order in which they were written. */
    public List<JsonObject> lines() {
        return lines;
    }

    @Override
    public void close() {
        log.removeHandler(handler);
    }
}
