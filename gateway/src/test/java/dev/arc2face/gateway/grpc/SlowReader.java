package dev.arc2face.gateway.grpc;

import static java.util.concurrent.TimeUnit.NANOSECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;

import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.PortraitServiceGrpc;
import dev.arc2face.v1.PortraitServiceGrpc.PortraitServiceStub;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;

/** A client that reads as many events as it is told to. */
final class SlowReader implements ClientResponseObserver<GenerateRequest, GenerateResponse> {
    private final Gateway gateway;
    private final List<GenerateResponse> events = new CopyOnWriteArrayList<>();
    private final CompletableFuture<Boolean> begin = new CompletableFuture<>();
    private final CompletableFuture<List<GenerateResponse>> end = new CompletableFuture<>();
    private ClientCallStreamObserver<GenerateRequest> call;

    SlowReader(Gateway gateway) {
        this.gateway = gateway;
    }

    void call(GenerateRequest request) {
        call(PortraitServiceGrpc.newStub(gateway.channel), request);
    }

    /** By a stub of somebody's own. */
    void call(PortraitServiceStub stub, GenerateRequest request) {
        stub.generate(request, this);
    }

    /** With a deadline. */
    void call(GenerateRequest request, Duration deadline) {
        PortraitServiceGrpc.newStub(gateway.channel)
                .withDeadlineAfter(deadline.toNanos(), NANOSECONDS)
                .generate(request, this);
    }

    void read(int count) {
        call.request(count);
    }

    void readAll() {
        call.request(Integer.MAX_VALUE);
    }

    void cancel() {
        call.cancel("enough", null);
    }

    List<GenerateResponse> events() {
        return events;
    }

    /** Whether the gateway accepted the call, as soon as it has said so. */
    boolean isAccepted() {
        return begin.orTimeout(60, SECONDS).join();
    }

    /** All events of a stream that ends well. */
    List<GenerateResponse> awaitCompletion() {
        return end.orTimeout(120, SECONDS).join();
    }

    /** Why a stream ended that does not end well. */
    Throwable awaitFailure() {
        return end.handle((events, failure) -> failure).orTimeout(120, SECONDS).join();
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<GenerateRequest> stream) {
        call = stream;
        stream.disableAutoRequestWithInitial(0);
    }

    @Override
    public void onNext(GenerateResponse event) {
        events.add(event);
        begin.complete(true);
    }

    @Override
    public void onError(Throwable failure) {
        begin.complete(false);
        end.completeExceptionally(failure);
    }

    @Override
    public void onCompleted() {
        end.complete(events);
    }
}
