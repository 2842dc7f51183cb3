package dev.arc2face.gateway.grpc;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.DiscardUnknownFieldsParser;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.FailureException.FieldViolation;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.MethodDescriptor.PrototypeMarshaller;
import io.grpc.Status;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;

/**
 * Reads of a message what its proto knows, and no message in which there are more messages than anybody needs. Other fields
 * would be kept, small groups in 50 times their bytes, and so would empty messages: a request within its limit could take
 * 800 MB.
 */
final class KnownFields<T> implements Marshaller<T> {
    private final Marshaller<T> marshaller;
    private final Descriptor type;
    private final Parser<? extends Message> parser;

    /** @param marshaller a protobuf message's */
    KnownFields(Marshaller<T> marshaller) {
        if (!(marshaller instanceof PrototypeMarshaller<T> message)
                || !(message.getMessagePrototype() instanceof Message prototype)) {
            throw new IllegalArgumentException("no protobuf message: " + marshaller);
        }
        this.marshaller = marshaller;
        type = prototype.getDescriptorForType();
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
            byte[] bytes = stream.readAllBytes();
            if (!MessageCount.isAtMost(MessageCount.MOST, bytes, type)) {
                throw FailureException.invalid(
                        List.of(new FieldViolation("", "more than " + MessageCount.MOST + " messages in the message")));
            }
            return (T) parser.parseFrom(bytes);
        } catch (IOException broken) {
            throw Status.INTERNAL
                    .withDescription("invalid protobuf")
                    .withCause(broken)
                    .asRuntimeException(); // as grpc-java's own
        }
    }
}
