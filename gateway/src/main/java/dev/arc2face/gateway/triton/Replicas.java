package dev.arc2face.gateway.triton;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.inference.GRPCInferenceServiceGrpc;
import dev.arc2face.inference.ModelInferRequest;
import dev.arc2face.inference.ModelInferResponse;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Model calls, each to the replica with the fewest rows in flight, and what their failures mean. So replicas are kept
 * equally busy, and of those with nothing to do the first one is taken: callers who come together meet in one batch. A
 * caller's next step finds the replica of its last one with the least to do, since all of its batch was answered.
 */
final class Replicas {
    private final Duration callTimeout;
    private List<Endpoint> endpoints = List.of();

    /** @param callTimeout the longest that a call may take, whatever its context's deadline */
    Replicas(Duration callTimeout) {
        this.callTimeout = callTimeout;
    }

    /** Later calls go to these. */
    synchronized void use(List<Endpoint> next) {
        endpoints = List.copyOf(next);
    }

    /** Runs a model once, with so many rows; throws what {@link Model#infer} documents. */
    ModelInferResponse infer(ModelInferRequest request, int rows) {
        Endpoint endpoint = take(request.getModelName(), rows);
        try {
            return GRPCInferenceServiceGrpc.newBlockingStub(endpoint.channel())
                    .withDeadlineAfter(callTimeout.toNanos(), TimeUnit.NANOSECONDS)
                    .modelInfer(request);
        } catch (StatusRuntimeException error) {
            throw failure(request.getModelName(), error);
        } finally {
            release(endpoint, rows);
        }
    }

    private synchronized Endpoint take(String model, int rows) {
        Endpoint least = endpoints.stream()
                .min(Comparator.comparingInt(endpoint -> endpoint.rowsInFlight)) // the first of several
                .orElseThrow(() -> FailureException.of(ErrorReason.MODEL_SERVER_UNAVAILABLE, away(model)));
        least.rowsInFlight += rows;
        return least;
    }

    private synchronized void release(Endpoint endpoint, int rows) {
        endpoint.rowsInFlight -= rows;
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
        return FailureException.causedBy(error, ErrorReason.MODEL_SERVER_UNAVAILABLE, away(model));
    }

    private static String away(String model) {
        return "the model server is away or not ready (model '" + model + "'); try again";
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
