package dev.arc2face.gateway.triton;

import static java.util.concurrent.TimeUnit.SECONDS;

import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.triton.TritonServer.Listener;
import java.util.concurrent.CompletableFuture;

/** Waits for what a {@link TritonServer} tells its listeners. */
final class Await {
    private static final int PATIENCE_SECONDS = 120;

    private Await() {}

    static ServedModels ready(TritonServer server) {
        CompletableFuture<ServedModels> models = new CompletableFuture<>();
        server.addListener(new Listener() {
            @Override
            public void ready(ServedModels now) {
                models.complete(now);
            }

            @Override
            public void unavailable(FailureException why) {
                // It may become ready yet.
            }
        });
        return models.orTimeout(PATIENCE_SECONDS, SECONDS).join();
    }

    static FailureException unavailable(TritonServer server) {
        CompletableFuture<FailureException> failure = new CompletableFuture<>();
        server.addListener(new Listener() {
            @Override
            public void ready(ServedModels models) {
                // It may become unavailable yet.
            }

            @Override
            public void unavailable(FailureException why) {
                failure.complete(why);
            }
        });
        return failure.orTimeout(PATIENCE_SECONDS, SECONDS).join();
    }
}
