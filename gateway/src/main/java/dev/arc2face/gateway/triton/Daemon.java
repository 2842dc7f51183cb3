package dev.arc2face.gateway.triton;

import dev.arc2face.gateway.DaemonThreads;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;

/** A thread that keeps no JVM alive, does one thing after the other, and ignores what comes after its shutdown. */
final class Daemon extends ScheduledThreadPoolExecutor {
    Daemon(String name) {
        super(1, new DaemonThreads(name), new ThreadPoolExecutor.DiscardPolicy());
    }
}
