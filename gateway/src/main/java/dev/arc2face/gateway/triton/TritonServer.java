package dev.arc2face.gateway.triton;

import static java.util.stream.Collectors.joining;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.config.TritonConfig;
import dev.arc2face.gateway.triton.Addresses.Address;
import dev.arc2face.gateway.triton.Replica.Down;
import dev.arc2face.gateway.triton.Replica.Up;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jboss.logging.Logger;

/**
 * The model server: one Triton, or several replicas of it, each of which may come and go.
 *
 * <ul>
 *   <li>Constructing connects to nothing and cannot fail on Triton's account; every replica is watched from then on,
 *       those that a name stands for later, too.
 *   <li>It is there while one replica is. Each call goes to the one that has the least to do ({@link Replicas}), and on
 *       to another one where that fails ({@link InferCall}).
 *   <li>Replicas are interchangeable or they are not used: one that serves other models than those in use, by their
 *       configuration or hash, is left out, and the log says so.
 *   <li>{@link #models()} never waits: it gives the models of the last look, or says what is wrong.
 *   <li>Listeners hear of every change, in order, and of nothing else: of models that come, go or are others than
 *       before, not of one replica more or less.
 * </ul>
 */
public final class TritonServer implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger(TritonServer.class);

    /** Is told on one thread, which it must not keep. */
    public interface Listener {
        /** Triton is ready: for the first time, again, or with other models than before. */
        void ready(ServedModels models);

        /** Triton is away or breaks the contract: what {@link #models()} throws from now on. */
        void unavailable(FailureException why);
    }

    private sealed interface State {}

    private record Ready(ServedModels models) implements State {}

    private record Unavailable(FailureException why) implements State {}

    private final TritonConfig config;
    private final TritonTls tls;
    private final MeterRegistry meters;
    private final Addresses addresses;
    private final Daemon news;
    private volatile State state;

    // Only the thread of the news touches these.
    private final List<Listener> listeners = new ArrayList<>();
    private final Map<Address, Replica> watched = new LinkedHashMap<>();
    private final Map<Replica, ReplicaMeters> health = new HashMap<>();
    private final Map<Replica, Replica.Sight> sights = new HashMap<>();
    private List<Replica> used = List.of();
    private List<Replica> leftOut = List.of();
    private Served served = Served.NOTHING;
    private Replicas replicas;
    private final AttemptMeters attempts;

    // For whoever asks how many there are.
    private final AtomicInteger inUse = new AtomicInteger();
    private final AtomicInteger notAlike = new AtomicInteger();
    private final AtomicInteger down = new AtomicInteger();

    /** @param meters where attempts and replicas are counted */
    public TritonServer(TritonConfig config, MeterRegistry meters) {
        this(config, meters, InetAddress::getAllByName);
    }

    TritonServer(TritonConfig config, MeterRegistry meters, Addresses.Lookup lookup) {
        TritonConfig.check(config);
        this.config = config;
        this.tls = new TritonTls(config.tls());
        this.meters = meters;
        this.attempts = new AttemptMeters(meters);
        this.replicas = new Replicas(config, attempts, System::nanoTime);
        count(meters, "used", inUse);
        count(meters, "left_out", notAlike);
        count(meters, "down", down);
        this.state = new Unavailable(Replica.away("has not been reached yet"));
        this.news = new Daemon("triton-news");
        this.addresses = new Addresses(
                config.targets(), config.resolveInterval(), lookup, found -> news.execute(() -> found(found)));
    }

    /** Looks for Triton from now on; before that it is unavailable. Once. */
    public void watch() {
        addresses.watch();
    }

    private static void count(MeterRegistry meters, String state, AtomicInteger replicas) {
        Gauge.builder("arc2face.model.replicas", replicas, AtomicInteger::get)
                .description("Replicas of the model server; those left out serve other models than those used")
                .tag("state", state)
                .register(meters);
    }

    /**
     * The served models, their contract checked.
     *
     * @throws FailureException MODEL_SERVER_UNAVAILABLE or MODEL_CONTRACT_VIOLATED
     */
    public ServedModels models() {
        State now = state;
        if (now instanceof Ready ready) {
            return ready.models;
        }
        FailureException why = ((Unavailable) now).why;
        // A new one: its stack trace is the caller's.
        throw FailureException.of(why.reason(), why.message(), why.metadata());
    }

    /** Whether Triton said at the last look that it is ready, whatever it serves. */
    public boolean isReachable() {
        return !(state instanceof Unavailable now) || now.why.reason() == ErrorReason.MODEL_CONTRACT_VIOLATED;
    }

    /** Tells the listener how things are now, and every change from then on. */
    public void addListener(Listener listener) {
        news.execute(() -> {
            listeners.add(listener);
            tell(listener, state);
        });
    }

    /** Stops watching and, in a while, breaks off all calls. */
    @Override
    public void close() {
        addresses.close();
        tls.close();
        news.execute(() -> {
            watched.values().forEach(Replica::retire); // so that they end beside one another
            watched.values().forEach(Replica::close);
        });
        news.shutdown(); // what was told before is heard first
        try {
            news.awaitTermination(config.pollTimeout().toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void found(Set<Address> now) {
        List<Replica> gone = new ArrayList<>();
        watched.entrySet().removeIf(entry -> !now.contains(entry.getKey()) && gone.add(entry.getValue()));
        for (Address address : now) {
            watched.computeIfAbsent(address, added -> {
                Replica replica = new Replica(
                        added,
                        config,
                        tls.credentials(),
                        (looking, sight) -> news.execute(() -> looked(looking, sight)));
                health.put(replica, new ReplicaMeters(meters, replica.endpoint()));
                replica.watch();
                return replica;
            });
        }
        if (now.isEmpty()) {
            become(new Unavailable(Replica.away("cannot be found: " + String.join(", ", config.targets()))));
        }
        if (!gone.isEmpty()) {
            sights.keySet().removeAll(gone);
            consider();
            gone.forEach(this::forget);
        }
    }

    private void forget(Replica gone) {
        gone.retire();
        attempts.forget(gone.endpoint());
        ReplicaMeters its = health.remove(gone);
        if (its != null) {
            its.close();
        }
    }

    private void looked(Replica replica, Replica.Sight sight) {
        if (watched.containsValue(replica)) {
            sights.put(replica, sight);
            consider();
        }
    }

    /** Who is used, and what is served, by the latest looks. */
    private void consider() {
        Map<Replica, Up> up = new LinkedHashMap<>();
        for (Replica other : watched.values()) {
            if (sights.get(other) instanceof Up there) {
                up.put(other, there);
            }
        }
        down.set(watched.size() - up.size());
        if (up.isEmpty()) {
            leaveOut(List.of());
            use(List.of());
            showHealth(up.keySet());
            become(new Unavailable(whyNone()));
            return;
        }
        // Those in use stay, whoever else comes.
        Up reference = up.values().stream()
                .filter(there -> there.served().isInterchangeableWith(served))
                .findFirst()
                .orElseGet(() -> up.values().iterator().next());
        List<Replica> alike = new ArrayList<>();
        List<Replica> unlike = new ArrayList<>();
        up.forEach((other, there) ->
                (there.served().isInterchangeableWith(reference.served()) ? alike : unlike).add(other));
        boolean others = !reference.served().isInterchangeableWith(served);
        if (others) { // no generation goes on with models that it did not begin with
            replicas.retire();
            replicas = new Replicas(config, attempts, System::nanoTime);
            used = List.of();
            served = reference.served();
        }
        use(alike);
        leaveOut(unlike);
        showHealth(up.keySet());
        if (others || !(state instanceof Ready)) {
            become(new Ready(models(reference)));
        }
    }

    private void showHealth(Set<Replica> up) {
        health.forEach((replica, its) -> its.seen(up.contains(replica), used.contains(replica)));
    }

    private void use(List<Replica> next) {
        if (!next.equals(used)) {
            used = next;
            inUse.set(next.size());
            replicas.use(next.stream().map(Replica::endpoint).toList());
            if (watched.size() > 1) {
                LOG.infof("model calls go to %s", next.isEmpty() ? "nobody" : targets(next));
            }
        }
    }

    private void leaveOut(List<Replica> next) {
        if (!next.equals(leftOut)) {
            leftOut = next;
            notAlike.set(next.size());
            if (!next.isEmpty()) {
                LOG.errorf(
                        "%s: other models, by configuration or hash, or another version of Triton than at %s; left out",
                        targets(next), targets(used));
            }
        }
    }

    private static String targets(List<Replica> replicas) {
        return replicas.stream().map(Replica::target).collect(joining(", "));
    }

    /** What keeps the replicas from being used: a broken contract, where there is one, rather than an absence. */
    private FailureException whyNone() {
        List<FailureException> reasons = watched.values().stream()
                .flatMap(replica -> sights.get(replica) instanceof Down down ? Stream.of(down.why()) : Stream.of())
                .toList();
        return reasons.stream()
                .filter(why -> why.reason() == ErrorReason.MODEL_CONTRACT_VIOLATED)
                .findFirst()
                .orElseGet(() -> reasons.isEmpty() ? Replica.away("has not been reached yet") : reasons.get(0));
    }

    private ServedModels models(Up up) {
        Contract.Checked checked = up.checked();
        return new ServedModels(
                new Model(checked.signature(Contract.FACE_DETECTOR), replicas),
                new Model(checked.signature(Contract.ARCFACE), replicas),
                new Model(checked.signature(Contract.ENCODER), replicas),
                new Model(checked.signature(Contract.UNET), replicas),
                checked.optionalSignature(Contract.UNET_GUIDED).map(signature -> new Model(signature, replicas)),
                checked.optionalSignature(Contract.UNET_LCM).map(signature -> new Model(signature, replicas)),
                new Model(checked.signature(Contract.VAE_DECODER), replicas),
                up.served().server().getName(),
                up.served().server().getVersion(),
                checked.sizes());
    }

    private void become(State next) {
        if (sameFailure(state, next)) {
            return;
        }
        if (next instanceof Ready ready) {
            LOG.infof("Triton %s is ready: %s", ready.models.serverVersion(), ready.models.sizes());
        } else if (next instanceof Unavailable unavailable) {
            LOG.warnf("%s: %s", unavailable.why.reason(), unavailable.why.message());
        }
        state = next;
        listeners.forEach(listener -> tell(listener, next));
    }

    private static boolean sameFailure(State before, State next) {
        return before instanceof Unavailable last
                && next instanceof Unavailable now
                && last.why.reason() == now.why.reason()
                && last.why.message().equals(now.why.message());
    }

    /** A listener's failure is its own: the watch goes on, and the others are told. */
    private static void tell(Listener listener, State state) {
        try {
            if (state instanceof Ready ready) {
                listener.ready(ready.models);
            } else if (state instanceof Unavailable unavailable) {
                listener.unavailable(unavailable.why);
            }
        } catch (RuntimeException defect) {
            LOG.error("a listener of the model server failed", defect);
        }
    }
}
