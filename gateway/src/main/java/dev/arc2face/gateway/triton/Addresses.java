package dev.arc2face.gateway.triton;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jboss.logging.Logger;

/**
 * The addresses that the configured targets stand for, looked up again and again: a name, such as that of a headless
 * service, may stand for any number of replicas, and they come and go. What cannot be looked up now stands for what it
 * stood for before.
 */
final class Addresses implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger(Addresses.class);

    /** A name with a port: {@code host:port}, {@code [::1]:port}, {@code dns:///host:port}. */
    private static final Pattern NAMED = Pattern.compile("(?:dns:///)?([^/:\\[\\]]+|\\[[^/\\[\\]]+]):(\\d+)");

    /** The operating system's answer to a name. */
    interface Lookup {
        InetAddress[] all(String host) throws UnknownHostException;
    }

    /**
     * One replica's.
     *
     * @param target as gRPC takes it
     * @param authority the configured host and port, which certificates are issued for, where the target is an address
     */
    record Address(String target, Optional<String> authority) {}

    private final List<String> targets;
    private final Duration interval;
    private final Lookup lookup;
    private final Consumer<Set<Address>> found;
    private final Daemon thread = new Daemon("triton-addresses");
    private final Map<String, List<Address>> known = new HashMap<>();

    /**
     * Looks nothing up yet.
     *
     * @param found told of all addresses after each lookup, in the order of the targets, on a thread that it must not
     *     keep
     */
    Addresses(List<String> targets, Duration interval, Lookup lookup, Consumer<Set<Address>> found) {
        this.targets = List.copyOf(targets);
        this.interval = interval;
        this.lookup = lookup;
        this.found = found;
    }

    /** The lookups begin. */
    void watch() {
        ScheduledFuture<?> unused =
                thread.scheduleWithFixedDelay(this::lookUpAll, 0, interval.toNanos(), TimeUnit.NANOSECONDS);
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }

    private void lookUpAll() {
        Set<Address> all = new LinkedHashSet<>();
        for (String target : targets) {
            try {
                known.put(target, lookUp(target));
            } catch (UnknownHostException unknown) {
                LOG.debugf("%s: no such host", target);
            } catch (RuntimeException defect) {
                LOG.errorf(defect, "looking up %s failed", target);
            }
            all.addAll(known.getOrDefault(target, List.of()));
        }
        found.accept(all);
    }

    private List<Address> lookUp(String target) throws UnknownHostException {
        Matcher named = NAMED.matcher(target);
        if (!named.matches()) {
            return List.of(new Address(target, Optional.empty())); // another kind of target that gRPC knows
        }
        String host = named.group(1);
        String port = named.group(2);
        List<Address> addresses = new ArrayList<>();
        for (InetAddress address : lookup.all(host)) {
            String literal = address.getHostAddress();
            String quoted = literal.contains(":") ? "[" + literal + "]" : literal;
            addresses.add(new Address(quoted + ":" + port, Optional.of(host + ":" + port)));
        }
        return addresses;
    }
}
