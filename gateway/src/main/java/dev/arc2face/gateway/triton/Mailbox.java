package dev.arc2face.gateway.triton;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** What a call's transports have to say is heard by the thread that waits for the call: no other one is needed. */
final class Mailbox implements Executor, AutoCloseable {
    private final BlockingQueue<Runnable> letters = new LinkedBlockingQueue<>();
    private volatile boolean closed;

    @Override
    public void execute(Runnable letter) {
        letters.add(letter);
        if (closed) {
            readAll();
        }
    }

    /** Waits for a letter, for so long, and reads all there are. */
    void await(long nanos) throws InterruptedException {
        Runnable letter = letters.poll(Math.max(0, nanos), TimeUnit.NANOSECONDS);
        if (letter != null) {
            letter.run();
            readAll();
        }
    }

    /** Whatever still comes is read at once, by whoever brings it. */
    @Override
    public void close() {
        closed = true;
        readAll();
    }

    private void readAll() {
        for (Runnable letter = letters.poll(); letter != null; letter = letters.poll()) {
            letter.run();
        }
    }
}
