package dev.arc2face.gateway.rest;

import com.google.protobuf.Message;
import dev.arc2face.gateway.FailureException;
import java.io.ByteArrayOutputStream;

/**
 * What a request consists of: kept as it comes, in however many pieces, and taken apart once all of it is there. Only one
 * thread at a time has to do with it.
 */
final class Body {
    private final Reading reading;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    /** How bytes become a message. */
    private interface Reading {
        /** @throws FailureException INVALID_REQUEST */
        void merge(byte[] bytes, Message.Builder message);
    }

    private Body(Reading reading) {
        this.reading = reading;
    }

    /** A request that is JSON alone. */
    static Body json() {
        return new Body(JsonReading::merge);
    }

    /**
     * A request that is a form.
     *
     * @param contentType with its boundary
     */
    static Body form(String contentType) {
        return new Body((bytes, message) -> Form.merge(contentType, bytes, message));
    }

    /** Takes more of it. */
    void add(byte[] more) {
        bytes.writeBytes(more);
    }

    /**
     * Reads all that has come.
     *
     * @throws FailureException INVALID_REQUEST
     */
    void readInto(Message.Builder message) {
        reading.merge(bytes.toByteArray(), message);
    }
}
