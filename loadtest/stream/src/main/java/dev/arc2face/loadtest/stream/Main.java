package dev.arc2face.loadtest.stream;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine;

/** {@code java -jar stream.jar}. */
public final class Main {
    private static final long INTERRUPT_PATIENCE_SECONDS = 5;

    private Main() {}

    /** Runs until the end or until ctrl-C, which ends the run and still tells what it has measured. */
    public static void main(String... args) {
        Thread main = Thread.currentThread();
        CountDownLatch done = new CountDownLatch(1);
        Thread interruption = new Thread(() -> interrupt(main, done), "interruption");
        Runtime.getRuntime().addShutdownHook(interruption);
        int code = new CommandLine(new StreamCommand(List.of(args)))
                .setCaseInsensitiveEnumValuesAllowed(true)
                .execute(args);
        done.countDown();
        System.exit(code);
    }

    private static void interrupt(Thread main, CountDownLatch done) {
        if (done.getCount() > 0) {
            main.interrupt();
            try {
                var unused = done.await(INTERRUPT_PATIENCE_SECONDS, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                main.interrupt();
            }
        }
    }
}
