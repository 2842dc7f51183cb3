package dev.arc2face.gateway.triton;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.Map;

/** The gateway's views of model servers, without the gateway; what they count, nobody reads unless he says where. */
final class Servers {
    private Servers() {}

    /** @param targets host:port of one or several, separated by commas */
    static TritonServer open(String targets) {
        return open(targets, Map.of());
    }

    /** @param keys of the configuration, without their prefix */
    static TritonServer open(String targets, Map<String, String> keys) {
        return open(targets, keys, new SimpleMeterRegistry());
    }

    /** @param meters where it counts */
    static TritonServer open(String targets, Map<String, String> keys, MeterRegistry meters) {
        return watching(new TritonServer(TestConfig.triton(targets, keys), meters));
    }

    static TritonServer watching(TritonServer server) {
        server.watch();
        return server;
    }
}
