package dev.arc2face.gateway.rest;

import dev.arc2face.gateway.provenance.Sha256;
import dev.arc2face.v1.PortraitImage;
import io.vertx.core.buffer.Buffer;
import java.util.Base64;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Finished portraits as files of their own. */
final class Pictures {
    private Pictures() {}

    /** @param known what the caller has already: the header If-None-Match */
    static Reply reply(PortraitImage portrait, @Nullable String known) {
        byte[] data = portrait.getData().toByteArray();
        Map<String, String> headers = Map.of("ETag", tag(data));
        boolean isKnown = known != null && (known.strip().equals("*") || known.contains(tag(data)));
        return isKnown
                ? new Reply(HttpStatus.NOT_MODIFIED, "", Buffer.buffer(), headers)
                : new Reply(HttpStatus.OK, mediaType(portrait), Buffer.buffer(data), headers);
    }

    private static String mediaType(PortraitImage portrait) {
        return switch (portrait.getFormat()) {
            case IMAGE_FORMAT_JPEG -> "image/jpeg";
            case IMAGE_FORMAT_PNG -> "image/png";
            case IMAGE_FORMAT_WEBP -> "image/webp";
            case IMAGE_FORMAT_UNSPECIFIED, UNRECOGNIZED ->
                throw new IllegalArgumentException("a portrait has a format, not " + portrait.getFormat());
        };
    }

    private static String tag(byte[] data) {
        return '"' + Base64.getUrlEncoder().withoutPadding().encodeToString(Sha256.bytesOf(data)) + '"';
    }
}
