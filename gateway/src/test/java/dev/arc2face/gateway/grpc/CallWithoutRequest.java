package dev.arc2face.gateway.grpc;

import static java.util.concurrent.TimeUnit.SECONDS;

import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.PortraitServiceGrpc;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.concurrent.CompletableFuture;

/** A call that has begun and sends nothing. */
final class CallWithoutRequest extends ClientCall.Listener<GenerateResponse> {
    private final CompletableFuture<Throwable> end = new CompletableFuture<>();

    CallWithoutRequest(Channel channel) {
        // Of a call that sends one message the client holds the headers back until it has that.
        MethodDescriptor<GenerateRequest, GenerateResponse> method = PortraitServiceGrpc.getGenerateMethod().toBuilder()
                .setType(MethodDescriptor.MethodType.BIDI_STREAMING)
                .build();
        ClientCall<GenerateRequest, GenerateResponse> call = channel.newCall(method, CallOptions.DEFAULT);
        call.start(this, new Metadata());
        call.request(1);
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
        end.complete(status.asRuntimeException(trailers));
    }

    Throwable awaitFailure() {
        return end.orTimeout(60, SECONDS).join();
    }
}
