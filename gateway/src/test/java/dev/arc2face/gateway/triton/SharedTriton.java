package dev.arc2face.gateway.triton;

import dev.arc2face.gateway.triton.Statistics.Counters;

/**
 * The one real Triton of a test run: started by the first test that needs it, stopped when the JVM ends. Tests that
 * break things start a {@link TritonProcess} of their own.
 */
public final class SharedTriton {
    /** Quarkus loads test classes more than once; the JVM's properties are there once. */
    private static final String TARGET = "arc2face.test.triton.target";

    private static SharedTriton instance;

    private final String target;
    private final Statistics statistics;
    private final TritonServer server;

    private SharedTriton(String target) {
        this.target = target;
        this.statistics = new Statistics(target);
        this.server = Servers.open(target);
    }

    /** Starts it if need be. */
    public static synchronized SharedTriton get() {
        if (instance == null) {
            String target = System.getProperty(TARGET);
            if (target == null) {
                TritonProcess process = new TritonProcess();
                Runtime.getRuntime().addShutdownHook(new Thread(process::close));
                target = process.target();
                System.setProperty(TARGET, target);
            }
            instance = new SharedTriton(target);
        }
        return instance;
    }

    /** Its gRPC address: host:port. */
    public String target() {
        return target;
    }

    /** The gateway's view of it. */
    public TritonServer server() {
        return server;
    }

    /** Its models, their contract checked. */
    public ServedModels models() {
        return Await.ready(server);
    }

    /** As {@link Statistics#settled}. */
    public Counters settledCounters(String model) {
        return statistics.settled(model);
    }

    /** As {@link Statistics#of}. */
    public Counters counters(String model) {
        return statistics.of(model);
    }
}
