package dev.arc2face.gateway;

import io.grpc.Status;

/**
 * Why a call failed: the gateway's side of the wire contract in {@code arc2face/v1/errors.proto}, with the canonical
 * gRPC code of each reason. The name is what {@code google.rpc.ErrorInfo.reason} says.
 */
public enum ErrorReason {
    INVALID_REQUEST(Status.Code.INVALID_ARGUMENT),
    IMAGE_DECODE_FAILED(Status.Code.INVALID_ARGUMENT),
    IMAGE_TOO_LARGE(Status.Code.INVALID_ARGUMENT),
    UNSUPPORTED_IMAGE_FORMAT(Status.Code.INVALID_ARGUMENT),
    NO_FACE_DETECTED(Status.Code.INVALID_ARGUMENT),
    FACE_TOO_SMALL(Status.Code.INVALID_ARGUMENT),
    FACE_INDEX_OUT_OF_RANGE(Status.Code.INVALID_ARGUMENT),
    EMBEDDING_INVALID(Status.Code.INVALID_ARGUMENT),
    EMBEDDING_MODEL_MISMATCH(Status.Code.FAILED_PRECONDITION),
    UNKNOWN_SCHEDULER(Status.Code.INVALID_ARGUMENT),
    CLIENT_TOO_SLOW(Status.Code.RESOURCE_EXHAUSTED),
    QUEUE_FULL(Status.Code.RESOURCE_EXHAUSTED),
    MESSAGE_TOO_LARGE(Status.Code.RESOURCE_EXHAUSTED),
    MODEL_SERVER_UNAVAILABLE(Status.Code.UNAVAILABLE),
    MODEL_CONTRACT_VIOLATED(Status.Code.FAILED_PRECONDITION),
    DEADLINE_EXCEEDED(Status.Code.DEADLINE_EXCEEDED),
    CANCELLED(Status.Code.CANCELLED),
    INTERNAL(Status.Code.INTERNAL),
    UNIMPLEMENTED(Status.Code.UNIMPLEMENTED),
    UNKNOWN_VARIANT(Status.Code.INVALID_ARGUMENT),
    DEADLINE_UNREACHABLE(Status.Code.RESOURCE_EXHAUSTED),
    SHUTTING_DOWN(Status.Code.UNAVAILABLE),
    REQUEST_ID_CONFLICT(Status.Code.ALREADY_EXISTS),
    UNAUTHENTICATED(Status.Code.UNAUTHENTICATED),
    PERMISSION_DENIED(Status.Code.PERMISSION_DENIED),
    AUTHENTICATION_UNAVAILABLE(Status.Code.UNAVAILABLE),
    QUOTA_EXCEEDED(Status.Code.RESOURCE_EXHAUSTED),
    POLICY_REFUSED(Status.Code.PERMISSION_DENIED),
    POLICY_UNAVAILABLE(Status.Code.UNAVAILABLE),
    IDENTITIES_DISAGREE(Status.Code.INVALID_ARGUMENT),
    GENERATION_NOT_FOUND(Status.Code.NOT_FOUND);

    private final Status.Code code;

    ErrorReason(Status.Code code) {
        this.code = code;
    }

    /** The gRPC code that goes with this reason. */
    public Status.Code code() {
        return code;
    }
}
