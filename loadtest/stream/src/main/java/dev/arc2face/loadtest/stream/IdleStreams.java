package dev.arc2face.loadtest.stream;

import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.PortraitServiceGrpc;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Calls that are open and ask for nothing, on connections of their own: their callers have sent their headers and are
 * never heard of again, or have asked for portraits and never read a byte of the answer. Opened once; those that the server
 * ends stay ended and are counted.
 */
final class IdleStreams {
    enum Kind {
        /** The request never comes. */
        HEADERS,
        /** The request comes, the answer is never read. */
        UNREAD
    }

    /** The transport holds the headers of a method with one request back until the request comes; not so of this one. */
    private static final MethodDescriptor<GenerateRequest, GenerateResponse> HEADERS_AT_ONCE =
            PortraitServiceGrpc.getGenerateMethod().toBuilder()
                    .setType(MethodType.BIDI_STREAMING)
                    .build();

    private final List<ClientCall<?, ?>> calls = new ArrayList<>();
    private final Map<String, Integer> ended = new TreeMap<>();

    IdleStreams(int count, Kind kind, Connections connections, RequestMix mix) {
        for (int i = 0; i < count; i++) {
            var call = connections
                    .channel(i)
                    .newCall(
                            kind == Kind.HEADERS ? HEADERS_AT_ONCE : PortraitServiceGrpc.getGenerateMethod(),
                            CallOptions.DEFAULT);
            calls.add(call);
            call.start(new Watch(), new Metadata());
            if (kind == Kind.UNREAD) {
                call.sendMessage(mix.call(i).request());
                call.halfClose();
            }
        }
    }

    int opened() {
        return calls.size();
    }

    /** Those that are no longer open, by how the server ended them. */
    synchronized Map<String, Integer> ended() {
        return Map.copyOf(ended);
    }

    void close() {
        calls.forEach(call -> call.cancel("the run is over", null));
    }

    private final class Watch extends ClientCall.Listener<GenerateResponse> {
        @Override
        public void onClose(Status status, Metadata trailers) {
            synchronized (IdleStreams.this) {
                ended.merge(
                        Ending.of(status.asRuntimeException(trailers)).outcome().toString(), 1, Integer::sum);
            }
        }
    }
}
