package dev.arc2face.gateway.triton;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.inference.GRPCInferenceServiceGrpc;
import dev.arc2face.inference.GRPCInferenceServiceGrpc.GRPCInferenceServiceBlockingStub;
import dev.arc2face.inference.ModelInferRequest;
import dev.arc2face.inference.ModelInferResponse;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Model calls over a channel to Triton, and what their failures mean. */
final class Connection {
    private final GRPCInferenceServiceBlockingStub stub;
    private final Duration callTimeout;

    /**
     * @param channel wide enough for the largest message
     * @param callTimeout the longest that a call may take, whatever its context's deadline
     */
    Connection(ManagedChannel channel, Duration callTimeout) {
        this.stub = GRPCInferenceServiceGrpc.newBlockingStub(channel);
        this.callTimeout = callTimeout;
    }

    /** Runs a model once; throws what {@link Model#infer} documents. */
    ModelInferResponse infer(ModelInferRequest request) {
        try {
            return stub.withDeadlineAfter(callTimeout.toNanos(), TimeUnit.NANOSECONDS)
                    .modelInfer(request);
        } catch (StatusRuntimeException error) {
            throw failure(request.getModelName(), error);
        }
    }

    private FailureException failure(String model, StatusRuntimeException error) {
        Context context = Context.current();
        Deadline deadline = context.getDeadline();
        if (deadline != null && deadline.isExpired()) {
            return FailureException.causedBy(
                    error, ErrorReason.DEADLINE_EXCEEDED, "the deadline passed while model '" + model + "' ran");
        }
        if (context.isCancelled() || Thread.currentThread().isInterrupted()) {
            return FailureException.causedBy(error, ErrorReason.CANCELLED, "cancelled while model '" + model + "' ran");
        }
        return switch (error.getStatus().getCode()) {
            case DEADLINE_EXCEEDED ->
                FailureException.causedBy(
                        error,
                        ErrorReason.MODEL_SERVER_UNAVAILABLE,
                        "model '" + model + "' did not answer within " + callTimeout.toSeconds() + " s; try again");
            // NOT_FOUND: the model is not loaded, or not yet. CANCELLED: not by us, so the other side broke it off.
            case UNAVAILABLE, NOT_FOUND, CANCELLED -> unavailable(model, error);
            case INTERNAL -> brokenOff(error.getStatus()) ? unavailable(model, error) : failed(model, error);
            default -> failed(model, error);
        };
    }

    private static FailureException unavailable(String model, StatusRuntimeException error) {
        return FailureException.causedBy(
                error,
                ErrorReason.MODEL_SERVER_UNAVAILABLE,
                "the model server is away or not ready (model '" + model + "'); try again");
    }

    private static FailureException failed(String model, StatusRuntimeException error) {
        return FailureException.causedBy(error, ErrorReason.INTERNAL, "model '" + model + "' failed");
    }

    /** Whether an INTERNAL status was made on this side because the stream ended early, not by a model. */
    private static boolean brokenOff(Status status) {
        String description = status.getDescription();
        return description != null
                && (description.contains("HTTP/2 error code") || description.contains("end-of-stream"));
    }
}
