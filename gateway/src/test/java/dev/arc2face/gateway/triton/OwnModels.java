package dev.arc2face.gateway.triton;

/** Models of a repository that no other test shares, on a Triton of their own. */
public final class OwnModels implements AutoCloseable {
    private final TritonProcess process;
    private final TritonServer server;

    /** Makes the repository, and serves it. */
    public OwnModels(ModelRepository repository) {
        process = new TritonProcess(repository.make());
        server = Servers.open(process.target());
    }

    /** The models, their contract checked. */
    public ServedModels get() {
        return Await.ready(server);
    }

    @Override
    public void close() {
        server.close();
        process.close();
    }
}
