package dev.arc2face.gateway.triton;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.config.TritonConfig;
import dev.arc2face.gateway.trace.SpanKeys;
import dev.arc2face.gateway.trace.Spans;
import dev.arc2face.gateway.trace.TraceHeaders;
import dev.arc2face.inference.GRPCInferenceServiceGrpc;
import dev.arc2face.inference.ModelInferRequest;
import dev.arc2face.inference.ModelInferResponse;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.Status;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * One model call on the thread that waits for it, made of as many attempts as it takes. A call has no state and no side
 * effect, so an attempt that a replica broke off, failed, or is late with, is made again on another one; on the same
 * one, after a pause, where there is none. Where all are away it waits for one to come back. What ends it without an
 * answer is the caller's context, the configured number of attempts, patience and time, or a model that fails.
 */
final class InferCall {
    private static final Logger LOG = Logger.getLogger(InferCall.class);

    /** The pause before an attempt at the same replica; doubles each time. */
    private static final long FIRST_PAUSE = 50_000_000;

    /** How often it is looked whether a replica has come back. */
    private static final long LOOK = 20_000_000;

    private final Replicas replicas;
    private final TritonConfig config;
    private final LongSupplier nanoTime;
    private final ModelInferRequest request;
    private final int rows;
    private final int maxBatchSize;
    private final Context context = Context.current();
    private final Mailbox mailbox = new Mailbox();

    private final Set<Endpoint> tried = new HashSet<>();
    private int attempts;
    private long pausedUntil;
    private Status lastFailure = Status.UNAVAILABLE.withDescription("no replica of the model server is there");

    InferCall(
            Replicas replicas,
            TritonConfig config,
            LongSupplier nanoTime,
            ModelInferRequest request,
            int rows,
            int maxBatchSize) {
        this.replicas = replicas;
        this.config = config;
        this.nanoTime = nanoTime;
        this.request = request;
        this.rows = rows;
        this.maxBatchSize = maxBatchSize;
    }

    /** Runs the call; throws what {@link Model#infer} documents. */
    ModelInferResponse answer() {
        Context.CancellationListener wakes = ended -> {}; // the letter itself
        context.addListener(wakes, mailbox);
        long end = nanoTime.getAsLong() + config.callTimeout().toNanos();
        try {
            checkContext();
            while (true) {
                Attempt attempt = begin(end);
                boolean answered = attempt.await(end);
                if (answered && attempt.status.isOk()) {
                    return attempt.answer();
                }
                lastFailure = attempt.status;
                checkContext();
                if (!answered || !mayBeTheReplicas(lastFailure) || attempts >= config.attempts()) {
                    throw failure();
                }
                if (!replicas.maySpendRetry()) {
                    LOG.warnf("%s: no attempt is repeated, too many have failed", name());
                    throw failure();
                }
                tried.add(attempt.endpoint);
                pausedUntil = nanoTime.getAsLong() + (FIRST_PAUSE << (attempts - 1));
                LOG.infof("%s: %s at %s; trying again", name(), lastFailure.getCode(), attempt.endpoint);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw FailureException.causedBy(
                    interrupted, ErrorReason.CANCELLED, "interrupted while model '" + name() + "' ran");
        } finally {
            context.removeListener(wakes);
            mailbox.close();
        }
    }

    private String name() {
        return request.getModelName();
    }

    private Span span(Endpoint endpoint) {
        Span span = Spans.begin("ModelInfer " + name(), SpanKind.CLIENT, Spans.current());
        if (span.isRecording()) {
            span.setAttribute(SpanKeys.RPC_SYSTEM, "grpc")
                    .setAttribute(SpanKeys.RPC_SERVICE, GRPCInferenceServiceGrpc.SERVICE_NAME)
                    .setAttribute(SpanKeys.RPC_METHOD, "ModelInfer")
                    .setAttribute(SpanKeys.MODEL, name())
                    .setAttribute(SpanKeys.MODEL_VERSION, request.getModelVersion())
                    .setAttribute(SpanKeys.REPLICA, endpoint.toString())
                    .setAttribute(SpanKeys.ROWS, rows)
                    .setAttribute(SpanKeys.MAX_BATCH_SIZE, maxBatchSize)
                    .setAttribute(SpanKeys.ROWS_IN_FLIGHT, endpoint.load().rows())
                    .setAttribute(SpanKeys.ATTEMPT, attempts);
        }
        return span;
    }

    /** Begins the next attempt as soon as there is a replica for it. */
    private Attempt begin(long end) throws InterruptedException {
        long patient = Math.min(end, nanoTime.getAsLong() + config.patience().toNanos());
        while (true) {
            Optional<Endpoint> endpoint = replicas.begin(rows, tried);
            long now = nanoTime.getAsLong();
            if (endpoint.isEmpty() && !tried.isEmpty() && now - pausedUntil >= 0) {
                endpoint = replicas.begin(rows, Set.of()); // there is no other
            }
            if (endpoint.isPresent()) {
                attempts++;
                if (attempts > 1) {
                    replicas.repeated(name());
                }
                return new Attempt(endpoint.get(), now);
            }
            if (now - patient >= 0 || replicas.isRetired()) {
                throw failure();
            }
            mailbox.await(Math.min(LOOK, patient - now));
            checkContext();
        }
    }

    private void checkContext() {
        if (isOutOfTime()) {
            throw FailureException.causedBy(
                    lastFailure.asRuntimeException(),
                    ErrorReason.DEADLINE_EXCEEDED,
                    "the deadline passed while model '" + name() + "' ran");
        }
        if (context.isCancelled()) {
            throw FailureException.causedBy(
                    lastFailure.asRuntimeException(),
                    ErrorReason.CANCELLED,
                    "cancelled while model '" + name() + "' ran");
        }
    }

    private boolean isContextOver() {
        return context.isCancelled() || isOutOfTime();
    }

    private boolean isOutOfTime() {
        Deadline deadline = context.getDeadline();
        return deadline != null && deadline.isExpired();
    }

    private FailureException failure() {
        RuntimeException cause = lastFailure.asRuntimeException();
        if (lastFailure.getCode() == Status.Code.DEADLINE_EXCEEDED) {
            return FailureException.causedBy(
                    cause,
                    ErrorReason.MODEL_SERVER_UNAVAILABLE,
                    "model '" + name() + "' did not answer within "
                            + config.callTimeout().toSeconds() + " s; try again");
        }
        if (isAway(lastFailure)) {
            return FailureException.causedBy(
                    cause,
                    ErrorReason.MODEL_SERVER_UNAVAILABLE,
                    "the model server is away or not ready (model '" + name() + "'); try again");
        }
        return FailureException.causedBy(cause, ErrorReason.INTERNAL, "model '" + name() + "' failed");
    }

    /** Whether a failure may be the replica's own, so that another one, or a later attempt, may answer. */
    private static boolean mayBeTheReplicas(Status status) {
        return switch (status.getCode()) {
            // INTERNAL, UNKNOWN: a model's process has crashed, or a GPU is out of memory or lost.
            case INTERNAL, UNKNOWN -> true;
            default -> isAway(status);
        };
    }

    /** Whether a failure says that the replica has not answered, or cannot, for now. */
    private static boolean isAway(Status status) {
        return switch (status.getCode()) {
            // NOT_FOUND: the model is not loaded, or not yet. CANCELLED: not by us, so the other side broke it off.
            case UNAVAILABLE, DEADLINE_EXCEEDED, NOT_FOUND, CANCELLED -> true;
            case INTERNAL -> brokenOff(status);
            default -> false;
        };
    }

    /** Whether an INTERNAL status was made on this side because the stream ended early, not by a model. */
    private static boolean brokenOff(Status status) {
        String description = status.getDescription();
        return description != null
                && (description.contains("HTTP/2 error code") || description.contains("end-of-stream"));
    }

    /** An attempt at a replica, and a span; its transport speaks through the mailbox. */
    private final class Attempt extends ClientCall.Listener<ModelInferResponse> {
        private final Endpoint endpoint;
        private final long began;
        private final Span span;
        private @Nullable ModelInferResponse message;
        private Status status = Status.DEADLINE_EXCEEDED;
        private boolean over;

        Attempt(Endpoint endpoint, long now) {
            this.endpoint = endpoint;
            this.began = now;
            span = span(endpoint);
            Metadata headers = new Metadata();
            TraceHeaders.write(
                    Spans.current().with(span),
                    (name, value) -> headers.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value));
            CallOptions options = CallOptions.DEFAULT
                    .withExecutor(mailbox)
                    .withDeadlineAfter(2 * config.callTimeout().toNanos(), TimeUnit.NANOSECONDS);
            // Whoever gives an attempt up leaves it alone: a call that is cancelled while it is answered can crash
            // all of Triton before 24.12 (its issues 7368 and 8034). Its context would cancel it, too. What a frozen
            // replica never answers ends by a deadline that no call waits for.
            Context before = Context.ROOT.attach();
            try {
                ClientCall<ModelInferRequest, ModelInferResponse> call =
                        endpoint.channel().newCall(GRPCInferenceServiceGrpc.getModelInferMethod(), options);
                call.start(this, headers);
                call.request(2); // an answer, and the news that there is no second one
                call.sendMessage(request);
                call.halfClose();
            } finally {
                Context.ROOT.detach(before);
            }
        }

        /**
         * Waits for its end; gives it up at the end of the call, and earlier where another replica may be asked. Whether
         * it has not been given up at the end of the call.
         */
        boolean await(long end) throws InterruptedException {
            long patience = replicas.patience(name());
            long late = began + patience;
            boolean settled = false;
            try {
                while (!over && !isContextOver()) {
                    long now = nanoTime.getAsLong();
                    if (now - end >= 0) {
                        replicas.failed(endpoint, rows, name());
                        settled = true;
                        return false;
                    }
                    if (now - late >= 0) {
                        if (hasOther()) {
                            replicas.late(endpoint, rows, name(), now - began);
                            settled = true;
                            return true;
                        }
                        late = now + patience;
                    }
                    mailbox.await(Math.min(end, late) - now);
                }
                if (status.isOk()) {
                    replicas.succeeded(endpoint, rows, name(), nanoTime.getAsLong() - began);
                    settled = true;
                } else if (mayBeTheReplicas(status) && !isContextOver()) {
                    replicas.failed(endpoint, rows, name());
                    settled = true;
                }
                return true;
            } finally {
                if (!settled) {
                    replicas.abandoned(endpoint, rows, name());
                }
                endSpan();
            }
        }

        private void endSpan() {
            if (over) {
                span.setAttribute(SpanKeys.RPC_STATUS, status.getCode().value());
            }
            if (!over || !status.isOk()) {
                Spans.fail(span, over ? status.getCode().name() : "LATE");
            }
            span.end();
        }

        private boolean hasOther() {
            Set<Endpoint> avoided = new HashSet<>(tried);
            avoided.add(endpoint);
            return attempts < config.attempts() && replicas.hasOther(avoided);
        }

        ModelInferResponse answer() {
            ModelInferResponse answer = message;
            if (answer == null) {
                throw new IllegalStateException("an answer without a message");
            }
            return answer;
        }

        @Override
        public void onMessage(ModelInferResponse answer) {
            message = answer;
        }

        @Override
        public void onClose(Status closing, Metadata trailers) {
            status = closing;
            over = true;
        }
    }
}
