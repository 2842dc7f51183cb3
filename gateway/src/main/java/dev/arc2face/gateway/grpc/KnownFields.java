package dev.arc2face.gateway.grpc;

import com.google.protobuf.DiscardUnknownFieldsParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.MethodDescriptor.PrototypeMarshaller;
import io.grpc.Status;
import java.io.InputStream;

/**
 * Reads of a message what its proto knows. Other fields would be kept, small groups in 50 times their bytes: a request
 * within its limit could take 800 MB.
 */
final class KnownFields<T> implements Marshaller<T> {
    private final Marshaller<T> marshaller;
    private final Parser<? extends Message> parser;

    /** @param marshaller a protobuf message's */
    KnownFields(Marshaller<T> marshaller) {
        if (!(marshaller instanceof PrototypeMarshaller<T> message)
                || !(message.getMessagePrototype() instanceof Message prototype)) {
            throw new IllegalArgumentException("no protobuf message: " + marshaller);
        }
        this.marshaller = marshaller;
        parser = DiscardUnknownFieldsParser.wrap(prototype.getParserForType());
    }

    @Override
    public InputStream stream(T value) {
        return marshaller.stream(value);
    }

    @Override
    @SuppressWarnings("unchecked") // the prototype is a T
    public T parse(InputStream stream) {
        try {
            return (T) parser.parseFrom(stream);
        } catch (InvalidProtocolBufferException broken) {
            throw Status.INTERNAL
                    .withDescription("invalid protobuf")
                    .withCause(broken)
                    .asRuntimeException(); // as grpc-java's own
        }
    }
}
