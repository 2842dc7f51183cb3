package dev.arc2face.gateway.triton;

import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import java.util.Map;

/** Has the gateway of a {@code @QuarkusTest} use the {@link SharedTriton}. */
public final class TritonResource implements QuarkusTestResourceLifecycleManager {
    @Override
    public Map<String, String> start() {
        return Map.of("arc2face.triton.targets", SharedTriton.get().target());
    }

    @Override
    public void stop() {
        // It serves the other tests of the run, too.
    }
}
