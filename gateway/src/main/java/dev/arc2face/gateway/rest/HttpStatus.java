package dev.arc2face.gateway.rest;

import dev.arc2face.gateway.ErrorReason;

/** The HTTP statuses of the API; each reason has one. */
final class HttpStatus {
    static final int OK = 200;
    static final int ACCEPTED = 202;
    static final int NO_CONTENT = 204;
    static final int NOT_MODIFIED = 304;
    static final int UNAUTHORIZED = 401;
    static final int FORBIDDEN = 403;
    static final int NOT_FOUND = 404;
    static final int METHOD_NOT_ALLOWED = 405;
    static final int NOT_ACCEPTABLE = 406;
    static final int UNSUPPORTED_MEDIA_TYPE = 415;

    private HttpStatus() {}

    /** That of the reason's gRPC code (google.rpc.Code), unless HTTP has a better one for the reason. */
    static int of(ErrorReason reason) {
        return switch (reason) {
            case CLIENT_TOO_SLOW -> 408;
            case MESSAGE_TOO_LARGE -> 413;
            case QUEUE_FULL, DEADLINE_UNREACHABLE, MODEL_CONTRACT_VIOLATED -> 503;
            case UNIMPLEMENTED -> NOT_FOUND;
            default ->
                switch (reason.code()) {
                    case INVALID_ARGUMENT, FAILED_PRECONDITION -> 400;
                    case UNAUTHENTICATED -> UNAUTHORIZED;
                    case PERMISSION_DENIED -> FORBIDDEN;
                    case NOT_FOUND -> NOT_FOUND;
                    case ALREADY_EXISTS -> 409;
                    case RESOURCE_EXHAUSTED -> 429;
                    case CANCELLED -> 499;
                    case UNAVAILABLE -> 503;
                    case DEADLINE_EXCEEDED -> 504;
                    default -> 500;
                };
        };
    }
}
