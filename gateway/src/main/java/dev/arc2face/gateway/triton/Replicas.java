package dev.arc2face.gateway.triton;

import dev.arc2face.gateway.config.TritonConfig;
import dev.arc2face.gateway.triton.AttemptMeters.Outcome;
import dev.arc2face.inference.ModelInferRequest;
import dev.arc2face.inference.ModelInferResponse;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import org.jboss.logging.Logger;

/**
 * The replicas that serve the same models, and what is known of each. An attempt goes to the one with the fewest rows in
 * flight. So replicas are kept equally busy, and of those with nothing to do the first one is taken: callers who come
 * together meet in one batch. A caller's next step finds the replica of its last one with the least to do, since all of
 * its batch was answered.
 */
final class Replicas {
    private static final Logger LOG = Logger.getLogger(Replicas.class);

    private final TritonConfig config;
    private final AttemptMeters meters;
    private final LongSupplier nanoTime;
    private final RetryBudget budget = new RetryBudget();
    private final Map<String, AttemptTime> times = new HashMap<>();
    private List<Endpoint> endpoints = List.of();
    private boolean retired;

    /** @param nanoTime as {@link System#nanoTime} */
    Replicas(TritonConfig config, AttemptMeters meters, LongSupplier nanoTime) {
        this.config = config;
        this.meters = meters;
        this.nanoTime = nanoTime;
    }

    /** Later attempts go to these. */
    synchronized void use(List<Endpoint> next) {
        for (Endpoint endpoint : next) {
            if (!endpoints.contains(endpoint)) {
                endpoint.breaker.succeeded(); // it was away and is another one now
                endpoint.show();
            }
        }
        endpoints = List.copyOf(next);
    }

    /** No attempt begins any more: other models are served now. */
    synchronized void retire() {
        retired = true;
        endpoints = List.of();
    }

    synchronized boolean isRetired() {
        return retired;
    }

    /** Runs a model once, with so many rows of at most so many; throws what {@link Model#infer} documents. */
    ModelInferResponse infer(ModelInferRequest request, int rows, int maxBatchSize) {
        synchronized (this) {
            budget.called();
        }
        return new InferCall(this, config, nanoTime, request, rows, maxBatchSize).answer();
    }

    /** An attempt begins that repeats another one. */
    void repeated(String model) {
        meters.repeated(model);
    }

    /** So many rows of an answered call were nobody's. */
    void padded(String model, int rows) {
        meters.padded(model, rows);
    }

    /** A replica for an attempt that begins now, of those that take any; none where all are away or keep failing. */
    synchronized Optional<Endpoint> begin(int rows, Set<Endpoint> avoided) {
        long now = nanoTime.getAsLong();
        Optional<Endpoint> least = endpoints.stream()
                .filter(endpoint -> !avoided.contains(endpoint) && endpoint.breaker.allows(now))
                .min(Comparator.comparingInt(endpoint -> endpoint.rowsInFlight)); // the first of several
        least.ifPresent(endpoint -> {
            endpoint.breaker.began();
            endpoint.rowsInFlight += rows;
            endpoint.show();
        });
        return least;
    }

    /** Whether an attempt elsewhere could begin now. */
    synchronized boolean hasOther(Set<Endpoint> avoided) {
        long now = nanoTime.getAsLong();
        return endpoints.stream().anyMatch(endpoint -> !avoided.contains(endpoint) && endpoint.breaker.allows(now));
    }

    synchronized void succeeded(Endpoint endpoint, int rows, String model, long nanos) {
        endpoint.rowsInFlight -= rows;
        if (endpoint.breaker.isOpen()) {
            LOG.infof("%s answers again", endpoint);
        }
        endpoint.breaker.succeeded();
        endpoint.show();
        time(model).took(nanos);
        meters.ended(model, endpoint, rows, Outcome.DELIVERED);
        meters.answered(model, rows, nanos);
    }

    /** It has not answered an attempt for so long that another replica is asked. */
    synchronized void late(Endpoint endpoint, int rows, String model, long nanos) {
        time(model).took(nanos); // at least
        failed(endpoint, rows, model);
    }

    /** It broke the attempt off, or did not answer it in time. */
    synchronized void failed(Endpoint endpoint, int rows, String model) {
        meters.ended(model, endpoint, rows, Outcome.FAILED);
        endpoint.rowsInFlight -= rows;
        boolean wasOpen = endpoint.breaker.isOpen();
        endpoint.breaker.failed(nanoTime.getAsLong());
        endpoint.show();
        if (endpoint.breaker.isOpen() && !wasOpen) {
            LOG.warnf("%s fails one call after the other; it gets none for a while", endpoint);
        }
    }

    /** Nobody wants the attempt's answer any more, or it says nothing about the replica. */
    synchronized void abandoned(Endpoint endpoint, int rows, String model) {
        meters.ended(model, endpoint, rows, Outcome.ABANDONED);
        endpoint.rowsInFlight -= rows;
        endpoint.breaker.abandoned();
        endpoint.show();
    }

    /** How long an attempt is waited for, in nanoseconds, where there is another replica to ask. */
    synchronized long patience(String model) {
        return time(model).patience();
    }

    /** Whether one more attempt may be repeated. */
    synchronized boolean maySpendRetry() {
        return budget.spend();
    }

    private AttemptTime time(String model) {
        return times.computeIfAbsent(
                model, unused -> new AttemptTime(config.leastAttemptTimeout(), config.callTimeout()));
    }
}
