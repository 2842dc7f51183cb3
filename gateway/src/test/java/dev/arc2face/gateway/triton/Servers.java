package dev.arc2face.gateway.triton;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.Map;

/** The gateway's views of model servers, without the gateway; what they count, nobody reads. */
final class Servers {
    private Servers() {}

    /** @param targets host:port of one or several, separated by commas */
    static TritonServer open(String targets) {
        return open(targets, Map.of());
    }

    /** @param keys of the configuration, without their prefix */
    static TritonServer open(String targets, Map<String, String> keys) {
        return watching(new TritonServer(TestConfig.triton(targets, keys), new SimpleMeterRegistry()));
    }

    static TritonServer watching(TritonServer server) {
        server.watch();
        return server;
    }
}
