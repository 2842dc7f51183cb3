package dev.arc2face.gateway.rest;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.Message;
import com.google.protobuf.UnsafeByteOperations;
import dev.arc2face.gateway.FailureException;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.multipart.DefaultHttpDataFactory;
import io.netty.handler.codec.http.multipart.HttpData;
import io.netty.handler.codec.http.multipart.HttpPostMultipartRequestDecoder;
import io.netty.handler.codec.http.multipart.HttpPostRequestDecoder;
import io.netty.handler.codec.http.multipart.HttpPostRequestDecoder.EndOfDataDecoderException;
import io.netty.handler.codec.http.multipart.HttpPostRequestDecoder.TooManyFormFieldsException;
import io.netty.handler.codec.http.multipart.InterfaceHttpData;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Reads a request from multipart/form-data: the part {@code request} has its JSON, every other one the bytes of the field
 * that it is named after, so that no photo need become base64. All of it stays in memory: Netty's decoder is told to write
 * no files.
 */
final class Form {
    private static final String REQUEST = "request";

    /** Two averages of sixteen photos, the request, and as many again for whoever asks for what nobody can. */
    private static final int MOST_PARTS = 64;

    /** What the headers of a part may take; the decoder looks after each slice of the body. */
    private static final int MOST_HEADER_BYTES = 4 << 10;

    /** Each slice that a part goes on in costs a buffer, and headers are at most a slice longer than they may be. */
    private static final int SLICE_BYTES = 64 << 10;

    private static final Pattern ONE_DIGIT = Pattern.compile("\\[([0-9])]");

    private Form() {}

    /**
     * Reads all of a message.
     *
     * @param contentType with the form's boundary
     * @throws FailureException INVALID_REQUEST
     */
    static void merge(String contentType, byte[] form, Message.Builder message) {
        HttpPostMultipartRequestDecoder decoder = decoder(contentType);
        try {
            merge(parts(decoder, form), message);
        } finally {
            destroy(decoder);
        }
    }

    private static HttpPostMultipartRequestDecoder decoder(String contentType) {
        HttpRequest head = new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.POST, "/");
        head.headers().set(HttpHeaderNames.CONTENT_TYPE, contentType);
        try {
            if (HttpPostRequestDecoder.isMultipart(head)) {
                return new HttpPostMultipartRequestDecoder(
                        new DefaultHttpDataFactory(false), head, UTF_8, MOST_PARTS, MOST_HEADER_BYTES);
            }
        } catch (RuntimeException broken) { // an empty boundary, or a charset that nobody knows
            throw broken();
        }
        throw broken(); // it has no boundary
    }

    private static List<HttpData> parts(HttpPostMultipartRequestDecoder decoder, byte[] form) {
        List<HttpData> parts = new ArrayList<>();
        try {
            for (int from = 0; from < form.length; from += SLICE_BYTES) {
                int length = Math.min(SLICE_BYTES, form.length - from);
                decoder.offer(new DefaultHttpContent(Unpooled.wrappedBuffer(form, from, length)));
            }
            decoder.offer(LastHttpContent.EMPTY_LAST_CONTENT);
            while (decoder.hasNext()) {
                if (decoder.next() instanceof HttpData part) {
                    parts.add(part);
                }
            }
        } catch (EndOfDataDecoderException whole) { // the last boundary has been there
            return parts;
        } catch (TooManyFormFieldsException tooMany) {
            throw FieldPath.invalid("", "more than " + MOST_PARTS + " parts");
        } catch (RuntimeException broken) { // a part's broken headers have it run out of bounds
            throw broken();
        }
        throw broken();
    }

    private static void merge(List<HttpData> parts, Message.Builder message) {
        List<HttpData> requests =
                parts.stream().filter(part -> part.getName().equals(REQUEST)).toList();
        if (requests.size() > 1) {
            throw FieldPath.invalid("", "more than one part is named " + REQUEST);
        }
        requests.forEach(request -> JsonReading.merge(bytes(request), message));
        parts.stream()
                .filter(part -> !part.getName().equals(REQUEST))
                .sorted(Comparator.comparing( // elements of a list in their order
                        part -> ONE_DIGIT.matcher(part.getName()).replaceAll("[0$1]")))
                .forEach(part -> FieldPath.set(message, part.getName(), UnsafeByteOperations.unsafeWrap(bytes(part))));
    }

    private static byte[] bytes(HttpData part) {
        try {
            return part.get();
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    /** The decoder itself forgets the part that the form breaks off in. */
    private static void destroy(HttpPostMultipartRequestDecoder decoder) {
        InterfaceHttpData partial = decoder.currentPartialHttpData();
        decoder.destroy();
        if (partial != null && partial.refCnt() > 0) {
            partial.release();
        }
    }

    private static FailureException broken() {
        return FieldPath.invalid("", "no whole multipart/form-data");
    }
}
