package dev.arc2face.gateway.triton;

import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import java.util.Map;

/** Gives the gateway of a {@code @QuarkusTest} a Triton of its own, with the repository that its argument names. */
public final class OwnTriton implements QuarkusTestResourceLifecycleManager {
    /** The argument's name; its value is one of {@link ModelRepository}. */
    public static final String REPOSITORY = "repository";

    private ModelRepository repository;
    private TritonProcess process;

    @Override
    public void init(Map<String, String> arguments) {
        repository = ModelRepository.valueOf(arguments.get(REPOSITORY));
    }

    @Override
    public Map<String, String> start() {
        process = new TritonProcess(repository.make());
        return Map.of("arc2face.triton.targets", process.target());
    }

    @Override
    public void stop() {
        process.close();
    }
}
