package dev.arc2face.gateway.triton;

import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;

/** A thread that keeps no JVM alive, does one thing after the other, and ignores what comes after its shutdown. */
final class Daemon extends ScheduledThreadPoolExecutor {
    Daemon(String name) {
        super(
                1,
                task -> {
                    Thread thread = new Thread(task, name);
                    thread.setDaemon(true);
                    return thread;
                },
                new ThreadPoolExecutor.DiscardPolicy());
    }
}
