package dev.arc2face.gateway.triton;

import static java.util.stream.Collectors.joining;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.config.TritonConfig;
import dev.arc2face.gateway.triton.Replica.Down;
import dev.arc2face.gateway.triton.Replica.Up;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jboss.logging.Logger;

/**
 * The model server: one Triton, or several replicas of it, each of which may come and go.
 *
 * <ul>
 *   <li>Constructing connects to nothing and cannot fail on Triton's account; every replica is watched from then on.
 *   <li>It is there while one replica is. Each call goes to the one that has the least to do ({@link Replicas}).
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

    private final List<Replica> watched;
    private final Replicas replicas;
    private final Daemon news;
    private volatile State state;

    // Only the thread of the news touches these.
    private final List<Listener> listeners = new ArrayList<>();
    private final Map<Replica, Replica.Sight> sights = new HashMap<>();
    private List<Replica> used = List.of();
    private List<Replica> leftOut = List.of();
    private Served served = Served.NOTHING;

    public TritonServer(TritonConfig config) {
        requirePositive(config.callTimeout(), "call-timeout");
        requirePositive(config.pollInterval(), "poll-interval");
        requirePositive(config.pollTimeout(), "poll-timeout");
        this.replicas = new Replicas(config.callTimeout());
        this.state = new Unavailable(Replica.away("has not been reached yet"));
        this.news = new Daemon("triton-news");
        this.watched = config.targets().stream()
                .map(target ->
                        new Replica(target, config, (replica, sight) -> news.execute(() -> looked(replica, sight))))
                .toList();
        watched.forEach(Replica::watch);
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

    /** Stops watching and breaks off all calls. */
    @Override
    public void close() {
        news.shutdownNow();
        watched.forEach(Replica::close);
    }

    private void looked(Replica replica, Replica.Sight sight) {
        sights.put(replica, sight);
        Map<Replica, Up> up = new LinkedHashMap<>();
        for (Replica other : watched) {
            if (sights.get(other) instanceof Up there) {
                up.put(other, there);
            }
        }
        if (up.isEmpty()) {
            use(List.of());
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
        use(alike);
        leaveOut(unlike);
        if (!(state instanceof Ready) || !reference.served().isInterchangeableWith(served)) {
            served = reference.served();
            become(new Ready(models(reference)));
        }
    }

    private void use(List<Replica> next) {
        if (!next.equals(used)) {
            used = next;
            replicas.use(next.stream().map(Replica::endpoint).toList());
            if (watched.size() > 1) {
                LOG.infof("model calls go to %s", next.isEmpty() ? "nobody" : targets(next));
            }
        }
    }

    private void leaveOut(List<Replica> next) {
        if (!next.equals(leftOut)) {
            leftOut = next;
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
        List<FailureException> reasons = watched.stream()
                .flatMap(replica -> sights.get(replica) instanceof Down down ? Stream.of(down.why()) : Stream.of())
                .toList();
        return reasons.stream()
                .filter(why -> why.reason() == ErrorReason.MODEL_CONTRACT_VIOLATED)
                .findFirst()
                .orElseGet(() -> reasons.get(0));
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

    private static void requirePositive(Duration duration, String key) {
        if (duration.isZero() || duration.isNegative()) {
            throw new IllegalArgumentException("arc2face.triton." + key + " must be positive, not " + duration);
        }
    }
}
