package dev.arc2face.gateway.trace;

import io.opentelemetry.api.common.AttributeKey;

/** Attributes of spans: OpenTelemetry's own where it has a name for something, ours otherwise. */
public final class SpanKeys {
    public static final AttributeKey<String> RPC_SYSTEM = AttributeKey.stringKey("rpc.system");
    public static final AttributeKey<String> RPC_SERVICE = AttributeKey.stringKey("rpc.service");
    public static final AttributeKey<String> RPC_METHOD = AttributeKey.stringKey("rpc.method");
    public static final AttributeKey<Long> RPC_STATUS = AttributeKey.longKey("rpc.grpc.status_code");

    public static final AttributeKey<String> REQUEST_ID = AttributeKey.stringKey("arc2face.request_id");
    public static final AttributeKey<String> VARIANT = AttributeKey.stringKey("arc2face.variant");
    public static final AttributeKey<String> SCHEDULER = AttributeKey.stringKey("arc2face.scheduler");
    /** Portraits that are asked for. */
    public static final AttributeKey<Long> PICTURES = AttributeKey.longKey("arc2face.pictures");
    /** Denoising steps of an attempt. */
    public static final AttributeKey<Long> STEPS = AttributeKey.longKey("arc2face.steps");
    /** Which step, from 1. */
    public static final AttributeKey<Long> STEP = AttributeKey.longKey("arc2face.step");
    /** Which attempt at the portraits, from 1. */
    public static final AttributeKey<Long> PICTURE_ATTEMPT = AttributeKey.longKey("arc2face.picture_attempt");

    public static final AttributeKey<String> MODEL = AttributeKey.stringKey("arc2face.model");
    public static final AttributeKey<String> MODEL_VERSION = AttributeKey.stringKey("arc2face.model.version");
    public static final AttributeKey<String> REPLICA = AttributeKey.stringKey("arc2face.replica");
    /** Rows of this call. */
    public static final AttributeKey<Long> ROWS = AttributeKey.longKey("arc2face.rows");
    /** Rows of all calls of this gateway that the replica has not answered when this one begins, its own included. */
    public static final AttributeKey<Long> ROWS_IN_FLIGHT = AttributeKey.longKey("arc2face.rows_in_flight");
    /** The most rows that Triton puts into a batch of the model. */
    public static final AttributeKey<Long> MAX_BATCH_SIZE = AttributeKey.longKey("arc2face.max_batch_size");
    /** Which attempt at the call, from 1. */
    public static final AttributeKey<Long> ATTEMPT = AttributeKey.longKey("arc2face.attempt");

    private SpanKeys() {}
}
