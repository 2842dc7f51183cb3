package dev.arc2face.gateway.rest;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.arc2face.v1.GenerateResponse;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.Http2Settings;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpVersion;
import java.io.ByteArrayInputStream;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** A listener by HTTP/2, which has no more on its way to it than a window of 64 KiB, and reads when it is told to. */
final class SlowListener implements AutoCloseable {
    private final Vertx vertx = Vertx.vertx();
    private final Buffer bytes = Buffer.buffer();
    private final CompletableFuture<HttpClientResponse> response = new CompletableFuture<>();
    private final CompletableFuture<byte[]> all = new CompletableFuture<>();

    void listen(String id) {
        var unused = vertx.createHttpClient(new HttpClientOptions()
                        .setProtocolVersion(HttpVersion.HTTP_2)
                        .setHttp2ClearTextUpgrade(false)
                        .setInitialSettings(new Http2Settings().setInitialWindowSize(1 << 16)))
                .request(HttpMethod.GET, Http.port(), "127.0.0.1", "/v1/generations/" + id + "/events")
                .compose(HttpClientRequest::send)
                .onSuccess(stream -> stream.pause()
                        .handler(bytes::appendBuffer)
                        .endHandler(end -> all.complete(bytes.getBytes()))
                        .exceptionHandler(all::completeExceptionally))
                .onComplete(begun -> response.complete(begun.result()));
        assertThat(response.orTimeout(60, SECONDS).join().statusCode()).isEqualTo(200);
    }

    /** A little. */
    void read() {
        response.join().fetch(1);
    }

    List<GenerateResponse> readAll() {
        response.join().resume();
        return new Events(new ByteArrayInputStream(all.orTimeout(60, SECONDS).join())).messages();
    }

    @Override
    public void close() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }
}
