package dev.arc2face.gateway.http;

import dev.arc2face.gateway.config.PageConfig;
import dev.arc2face.gateway.provenance.Sha256;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/**
 * The page at /: what browsers may do with it, and whether they have it already. The files are Quarkus' static
 * resources, and the page loads nothing from anywhere else.
 */
@Singleton
final class Page {
    private static final int BEFORE_ALL = 1000;
    private static final int NOT_MODIFIED = 304;
    private static final int NOT_FOUND = 404;
    private static final int TAG_DIGITS = 32;

    private static final String FILES = "META-INF/resources";
    private static final Pattern FILE = Pattern.compile("/(index\\.html|favicon\\.svg|page/[^/]+)?");

    /** Pictures and photos are shown from the page's own memory (blob:). */
    private static final String CONTENT_SECURITY_POLICY = String.join(
            "; ",
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' blob:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'");

    private static final Map<String, String> HEADERS = Map.of(
            "Content-Security-Policy", CONTENT_SECURITY_POLICY,
            "Permissions-Policy", "camera=(self), microphone=(), geolocation=(), display-capture=()",
            "Referrer-Policy", "no-referrer",
            "X-Content-Type-Options", "nosniff",
            "Cross-Origin-Opener-Policy", "same-origin",
            "Cross-Origin-Resource-Policy", "same-origin",
            // Kept, but asked about each time: a page and its modules are always of one gateway.
            "Cache-Control", "no-cache");

    private final Map<String, String> tags = new ConcurrentHashMap<>();

    void serve(@Observes Filters filters, PageConfig config) {
        filters.register(
                exchange -> {
                    if (!FILE.matcher(exchange.normalizedPath()).matches()) {
                        exchange.next();
                    } else if (config.enabled()) {
                        serve(exchange);
                    } else {
                        exchange.response().setStatusCode(NOT_FOUND).end();
                    }
                },
                BEFORE_ALL);
    }

    private void serve(RoutingContext exchange) {
        String path = exchange.normalizedPath();
        Optional<String> tag = tag(path.equals("/") ? "/index.html" : path);
        HEADERS.forEach(exchange.response().headers()::set);
        tag.ifPresent(value -> exchange.response().headers().set(HttpHeaders.ETAG, value));
        if (tag.isPresent() && has(exchange.request(), tag.get())) {
            exchange.response().setStatusCode(NOT_MODIFIED).end();
        } else {
            exchange.next();
        }
    }

    /** Whether the browser has the file; a proxy that compressed it has made its tag a weak one. */
    private static boolean has(HttpServerRequest request, String tag) {
        String known = request.getHeader(HttpHeaders.IF_NONE_MATCH);
        return known != null
                && Pattern.compile("\\s*,\\s*")
                        .splitAsStream(known)
                        .anyMatch(each -> each.equals(tag) || each.equals("W/" + tag));
    }

    /** Only files that are there are remembered: a caller can make up any number of others. */
    private Optional<String> tag(String path) {
        Optional<String> tag = Optional.ofNullable(tags.get(path)).or(() -> hash(path));
        tag.ifPresent(value -> tags.put(path, value));
        return tag;
    }

    /** The hash of a file's bytes; none where there is no such file. */
    private static Optional<String> hash(String path) {
        ClassLoader loader = Thread.currentThread().getContextClassLoader();
        try (InputStream file = loader.getResourceAsStream(FILES + path)) {
            if (file == null) {
                return Optional.empty();
            }
            return Optional.of('"' + Sha256.of(file.readAllBytes()).substring(0, TAG_DIGITS) + '"');
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
