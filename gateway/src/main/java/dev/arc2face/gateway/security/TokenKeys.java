package dev.arc2face.gateway.security;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSelector;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.proc.SecurityContext;
import dev.arc2face.gateway.config.SecurityConfig;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.ParseException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.LongSupplier;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The public keys of an issuer of tokens, read in the background: no call waits for them. They are read anew every
 * refresh interval, and sooner where a token names a key that is not among them, but not for every such token.
 */
final class TokenKeys implements JWKSource<SecurityContext> {
    private static final Logger LOG = Logger.getLogger(TokenKeys.class);
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final Duration RETRY = Duration.ofSeconds(5);
    private static final int MAX_BYTES = 1 << 20;

    private final String issuer;
    private final @Nullable String location;
    private final Duration interval;
    private final ScheduledExecutorService thread;
    private final LongSupplier nanoTime;
    private final HttpClient http = HttpClient.newBuilder()
            .connectTimeout(PATIENCE)
            .followRedirects(HttpClient.Redirect.NEVER)
            .build();
    private volatile @Nullable JWKSet keys;
    private long askedForUnknown; // guarded by this
    private boolean asked;

    /** Reads nothing yet. */
    TokenKeys(String issuer, SecurityConfig.Jwt config, ScheduledExecutorService thread, LongSupplier nanoTime) {
        this.issuer = issuer;
        this.location = config.jwks().orElse(null);
        this.interval = config.refreshInterval();
        this.thread = thread;
        this.nanoTime = nanoTime;
    }

    /** The reading begins. */
    void watch() {
        thread.execute(this::readAndGoOn);
    }

    /** Whether they have been read. */
    boolean areThere() {
        return keys != null;
    }

    @Override
    public List<JWK> get(JWKSelector selector, @Nullable SecurityContext context) {
        JWKSet now = keys;
        List<JWK> fitting = now == null ? List.of() : selector.select(now);
        if (fitting.isEmpty()) {
            askForUnknown();
        }
        return fitting;
    }

    private synchronized void askForUnknown() {
        long now = nanoTime.getAsLong();
        if (!asked || now - askedForUnknown >= interval.toNanos()) {
            asked = true;
            askedForUnknown = now;
            thread.execute(this::read);
        }
    }

    private void readAndGoOn() {
        boolean done = read();
        Duration next = done || keys != null ? interval : RETRY;
        var unused = thread.schedule(this::readAndGoOn, next.toNanos(), NANOSECONDS);
    }

    private boolean read() {
        try {
            keys = JWKSet.parse(text()).toPublicJWKSet();
            return true;
        } catch (IOException | ParseException | RuntimeException unreadable) {
            LOG.warnf("the keys of %s cannot be read: %s", issuer, unreadable.getMessage());
            return false;
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private String text() throws IOException, InterruptedException {
        String place = location;
        if (place == null) {
            place = discovered();
        }
        return place.startsWith("https://") || place.startsWith("http://")
                ? fetch(URI.create(place))
                : Files.readString(Path.of(place));
    }

    /** OpenID Connect Discovery 1.0, section 4. */
    private String discovered() throws IOException, InterruptedException {
        String base = issuer.endsWith("/") ? issuer.substring(0, issuer.length() - 1) : issuer;
        try {
            JsonObject document = JsonParser.parseString(fetch(URI.create(base + "/.well-known/openid-configuration")))
                    .getAsJsonObject();
            if (!document.get("issuer").getAsString().equals(issuer)) {
                throw new IOException("the discovery document is of another issuer");
            }
            return document.get("jwks_uri").getAsString();
        } catch (JsonParseException | IllegalStateException | NullPointerException wrong) {
            throw new IOException("the discovery document has no issuer and jwks_uri", wrong);
        }
    }

    private String fetch(URI address) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(address).timeout(PATIENCE).build();
        HttpResponse<InputStream> response = http.send(request, HttpResponse.BodyHandlers.ofInputStream());
        try (InputStream body = response.body()) {
            if (response.statusCode() != 200) {
                throw new IOException(address + " answers " + response.statusCode());
            }
            byte[] bytes = body.readNBytes(MAX_BYTES);
            return new String(bytes, StandardCharsets.UTF_8);
        }
    }
}
