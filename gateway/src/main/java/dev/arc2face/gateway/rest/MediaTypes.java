package dev.arc2face.gateway.rest;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.vertx.core.http.HttpServerRequest;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What a body is and what an answer may be, as the headers tell. */
final class MediaTypes {
    private static final String FORM = "multipart/form-data";

    /** Those that a request's body may have. */
    static final String OF_BODIES = Reply.JSON + ", " + FORM;

    private static final Pattern ZERO = Pattern.compile(";\\s*q=0(\\.0*)?$");

    private MediaTypes() {}

    /** Whether a header Accept takes a type; without the header everything is taken. */
    static boolean accepts(@Nullable String header, String type) {
        String family = type.substring(0, type.indexOf('/') + 1);
        return header == null
                || Arrays.stream(header.split(","))
                        .filter(range -> !ZERO.matcher(range.strip()).find())
                        .map(MediaTypes::withoutParameters)
                        .anyMatch(range -> range.equals("*/*")
                                || range.equals(family + "*")
                                || range.equals(type)
                                || (type.endsWith("*") && range.startsWith(family)));
    }

    private static String withoutParameters(String type) {
        int end = type.indexOf(';');
        return (end < 0 ? type : type.substring(0, end)).strip().toLowerCase(Locale.ROOT);
    }

    /** What the body of a request is read with; nothing where it is none of the types. */
    static Optional<Body> body(HttpServerRequest request) {
        String encoding = request.getHeader(HttpHeaderNames.CONTENT_ENCODING);
        String type = request.getHeader(HttpHeaderNames.CONTENT_TYPE);
        if (type == null || (encoding != null && !encoding.equalsIgnoreCase("identity"))) {
            return Optional.empty();
        }
        return switch (withoutParameters(type)) {
            case Reply.JSON -> Optional.of(Body.json());
            case FORM -> Optional.of(Body.form(type));
            default -> Optional.empty();
        };
    }
}
