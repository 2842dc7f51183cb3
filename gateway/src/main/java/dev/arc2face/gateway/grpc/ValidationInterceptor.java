package dev.arc2face.gateway.grpc;

import build.buf.protovalidate.ValidationResult;
import build.buf.protovalidate.Validator;
import build.buf.protovalidate.ValidatorFactory;
import build.buf.protovalidate.exceptions.CompilationException;
import build.buf.protovalidate.exceptions.ValidationException;
import build.buf.validate.FieldPath;
import build.buf.validate.FieldPathElement;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Message;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.FailureException.FieldViolation;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import java.util.List;

/** Lets a request pass only if it keeps the constraints of its proto; otherwise names every field that does not. */
final class ValidationInterceptor implements ServerInterceptor {
    private final Validator validator;

    /** @param requests the requests that will come; their rules are compiled here, so that no call waits for it */
    ValidationInterceptor(List<Descriptor> requests) {
        try {
            validator = ValidatorFactory.newBuilder().buildWithDescriptors(requests, true);
        } catch (CompilationException broken) {
            throw new IllegalStateException("the constraints of the API do not compile", broken);
        }
    }

    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
        return new SimpleForwardingServerCallListener<>(next.startCall(call, headers)) {
            @Override
            public void onMessage(Q message) {
                validate((Message) message);
                super.onMessage(message);
            }
        };
    }

    void validate(Message message) {
        ValidationResult result;
        try {
            result = validator.validate(message);
        } catch (ValidationException broken) {
            throw FailureException.causedBy(broken, ErrorReason.INTERNAL, "a constraint could not be evaluated");
        }
        if (!result.isSuccess()) {
            throw FailureException.invalid(result.getViolations().stream()
                    .map(violation -> violation.toProto())
                    .map(violation -> new FieldViolation(path(violation.getField()), violation.getMessage()))
                    .toList());
        }
    }

    private static String path(FieldPath path) {
        StringBuilder text = new StringBuilder();
        for (FieldPathElement element : path.getElementsList()) {
            text.append(text.isEmpty() ? "" : ".").append(element.getFieldName());
            if (element.hasIndex()) {
                text.append('[').append(element.getIndex()).append(']');
            }
        }
        return text.toString();
    }
}
