package dev.arc2face.gateway.grpc;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.config.ResumeConfig;
import dev.arc2face.v1.GenerateRequest;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The generations of this gateway by caller and request id: those that wait or run, and for a while the results of those
 * that outlive their listeners, or were begun without one. What a caller may have held here is bounded, and so is all
 * together; the oldest results go first. Nobody learns of another caller's.
 */
final class Generations {
    private static final String MAC = "HmacSHA256";

    /** Whose, and which. */
    record Key(String caller, String requestId) {}

    private record Entry(Ongoing generation, byte[] fingerprint) {}

    private final ResumeConfig config;
    private final ScheduledExecutorService timer;
    private final SecretKeySpec key;

    // Guarded by this.
    private final Map<Key, Entry> all = new HashMap<>();
    private final HeldResults held;

    Generations(ResumeConfig config, ScheduledExecutorService timer) {
        this.config = config;
        this.timer = timer;
        this.held = new HeldResults(
                config.maxBytesPerCaller().asLongValue(), config.maxBytes().asLongValue());
        byte[] secret = new byte[32];
        new SecureRandom().nextBytes(secret);
        this.key = new SecretKeySpec(secret, MAC);
    }

    /**
     * The generation of that name: the one that is here already, or the one given, which is here from now on.
     *
     * @param seed the seed that the request comes to
     * @throws FailureException REQUEST_ID_CONFLICT where it is another request's
     */
    synchronized Ongoing add(Key name, GenerateRequest request, int seed, Ongoing generation) {
        byte[] fingerprint = fingerprint(request, seed);
        Entry earlier = all.putIfAbsent(name, new Entry(generation, fingerprint));
        if (earlier == null) {
            return generation;
        }
        if (!MessageDigest.isEqual(earlier.fingerprint, fingerprint)) {
            throw FailureException.of(
                    ErrorReason.REQUEST_ID_CONFLICT,
                    "another request of yours has the id " + name.requestId() + "; choose another id");
        }
        return earlier.generation;
    }

    /** The generation has ended: its result is held for a while, or forgotten. */
    synchronized void ended(Key name, Ongoing generation) {
        long bytes = generation.bytes();
        if (!generation.isHeld() || !held.fits(bytes)) {
            remove(name, generation);
        } else if (isHere(name, generation)) {
            held.makeRoom(name.caller(), bytes).forEach(all::remove);
            Future<?> expiry = timer.schedule(
                    () -> remove(name, generation), config.holdTime().toNanos(), NANOSECONDS);
            held.add(name, bytes, expiry);
        }
    }

    /** Forgets the generation. */
    synchronized void remove(Key name, Ongoing generation) {
        if (isHere(name, generation)) {
            all.remove(name);
            held.remove(name);
        }
    }

    /** The generation of that name, if it is here. */
    synchronized Optional<Ongoing> find(Key name) {
        return Optional.ofNullable(all.get(name)).map(Entry::generation);
    }

    /** Ends the generation of that name and forgets it; whether there was one. */
    boolean cancel(Key name) {
        Entry entry;
        synchronized (this) {
            entry = all.remove(name);
            held.remove(name);
        }
        if (entry == null) {
            return false;
        }
        entry.generation.cancel();
        return true;
    }

    private boolean isHere(Key name, Ongoing generation) {
        Entry entry = all.get(name);
        return entry != null && entry.generation == generation;
    }

    /**
     * What makes a request the same as another one, whatever it is called and wherever it goes on: under a key of this
     * process, because a bare hash of a photo or an embedding would be biometric data, too.
     */
    private byte[] fingerprint(GenerateRequest request, int seed) {
        try {
            Mac mac = Mac.getInstance(MAC);
            mac.init(key);
            mac.update(request.toBuilder()
                    .clearRequestId()
                    .clearAfterSequence()
                    .clearOnDisconnect()
                    .setSeed(seed)
                    .build()
                    .toByteArray());
            return mac.doFinal();
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
