package dev.arc2face.gateway.grpc;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.FailureException.FieldViolation;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.StatusRuntimeException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Map;

/**
 * Takes a request off the wire without ever throwing there. What a marshaller throws while grpc-java reads a message
 * ends the call past all interceptors, with a framework's status; here a message that is too large or whose
 * compression is broken is held as a refusal, and thrown when an interceptor can see it.
 */
final class RequestMarshaller implements Marshaller<RequestMarshaller.Request> {
    private final int maxBytes;

    /** @param maxBytes the largest message, decompressed */
    RequestMarshaller(int maxBytes) {
        this.maxBytes = maxBytes;
    }

    /** In the place of a message that is none: whoever reads it learns why. */
    static InputStream refusal(FailureException why) {
        return new Refusal(why);
    }

    private static final class Refusal extends ByteArrayInputStream {
        private final FailureException why;

        Refusal(FailureException why) {
            super(new byte[0]);
            this.why = why;
        }
    }

    /** A request as it came. */
    sealed interface Request {}

    private record Taken(byte[] bytes) implements Request {}

    private record Refused(FailureException failure) implements Request {}

    @Override
    public Request parse(InputStream message) {
        if (message instanceof Refusal refusal) {
            return new Refused(refusal.why);
        }
        try {
            if (message instanceof KnownLength && message.available() > maxBytes) {
                return tooLarge();
            }
            byte[] bytes = message.readNBytes(maxBytes + 1);
            return bytes.length > maxBytes ? tooLarge() : new Taken(bytes);
        } catch (StatusRuntimeException decompressedTooLarge) {
            return tooLarge();
        } catch (IOException brokenCompression) {
            return new Refused(
                    FailureException.invalid(List.of(new FieldViolation("", "the message cannot be decompressed"))));
        }
    }

    @Override
    public InputStream stream(Request request) {
        if (request instanceof Refused refused) {
            throw refused.failure();
        }
        return new KnownBytes(((Taken) request).bytes());
    }

    private Request tooLarge() {
        return new Refused(FailureException.of(
                ErrorReason.MESSAGE_TOO_LARGE,
                "the request message is larger than " + maxBytes + " bytes",
                Map.of("limit", Integer.toString(maxBytes))));
    }

    private static final class KnownBytes extends ByteArrayInputStream implements KnownLength {
        KnownBytes(byte[] bytes) {
            super(bytes);
        }
    }
}
