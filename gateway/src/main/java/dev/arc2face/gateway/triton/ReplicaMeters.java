package dev.arc2face.gateway.triton;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/** How one replica is, for whoever asks, until it is gone. */
final class ReplicaMeters implements AutoCloseable {
    private final MeterRegistry registry;
    private final Endpoint endpoint;
    private final List<Meter> meters = new ArrayList<>();

    private volatile boolean up;
    private volatile boolean used;

    ReplicaMeters(MeterRegistry registry, Endpoint endpoint) {
        this.registry = registry;
        this.endpoint = endpoint;
        gauge(
                "up",
                "1 where the last look found the replica ready and its models as they must be",
                Tags.empty(),
                its -> its.up ? 1 : 0);
        gauge("used", "1 where model calls go to the replica", Tags.empty(), its -> its.used ? 1 : 0);
        gauge(
                "rows",
                "Rows of model calls that the replica has not answered",
                Tags.empty(),
                its -> its.endpoint.load().rows());
        for (Breaker.State state : Breaker.State.values()) {
            gauge(
                    "breaker",
                    "1 for the state of the replica's breaker: closed; open, it is ejected and gets no call; half_open, it"
                            + " gets one that decides",
                    Tags.of("state", state.name().toLowerCase(Locale.ROOT)),
                    its -> its.endpoint.load().breaker() == state ? 1 : 0);
        }
    }

    /** What the last look has found. */
    void seen(boolean isUp, boolean isUsed) {
        up = isUp;
        used = isUsed;
    }

    private void gauge(String name, String description, Tags tags, ToDoubleFunction<ReplicaMeters> value) {
        meters.add(Gauge.builder("arc2face.model.replica." + name, this, value)
                .description(description)
                .tags(tags)
                .tag("replica", endpoint.toString())
                .register(registry));
    }

    /** The replica is gone. */
    @Override
    public void close() {
        meters.forEach(registry::remove);
    }
}
