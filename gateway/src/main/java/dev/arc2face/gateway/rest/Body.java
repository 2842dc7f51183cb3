package dev.arc2face.gateway.rest;

import com.google.protobuf.Message;
import dev.arc2face.gateway.FailureException;
import java.io.ByteArrayOutputStream;

/** What a request consists of, as it comes in and as it is read. Only one thread at a time has to do with it. */
interface Body extends AutoCloseable {
    /**
     * Takes more of it.
     *
     * @throws FailureException INVALID_REQUEST
     */
    void add(byte[] bytes);

    /**
     * Reads all that has come.
     *
     * @throws FailureException INVALID_REQUEST
     */
    void readInto(Message.Builder message);

    /** Lets go of all of it. */
    @Override
    void close();

    /** A request that is JSON alone. */
    static Body json() {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        return new Body() {
            @Override
            public void add(byte[] bytes) {
                all.writeBytes(bytes);
            }

            @Override
            public void readInto(Message.Builder message) {
                JsonReading.merge(all.toByteArray(), message);
            }

            @Override
            public void close() {
                all.reset();
            }
        };
    }
}
