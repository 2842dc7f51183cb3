package dev.arc2face.gateway.rest;

import com.google.protobuf.Message;
import com.google.protobuf.MessageOrBuilder;
import dev.arc2face.gateway.DaemonThreads;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.config.LimitsConfig;
import dev.arc2face.gateway.config.RestConfig;
import dev.arc2face.gateway.grpc.Calls;
import dev.arc2face.gateway.grpc.DetachedService;
import dev.arc2face.gateway.grpc.EventNumbers;
import dev.arc2face.gateway.grpc.ServerSetup;
import dev.arc2face.v1.CancelGenerationRequest;
import dev.arc2face.v1.CancelGenerationResponse;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.GetModelInfoRequest;
import dev.arc2face.v1.PortraitServiceGrpc;
import io.grpc.MethodDescriptor;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Router;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** The portrait service over HTTP: finds out what is called, and has that served as a call of the service. */
@Singleton
final class RestApi {
    static final String AFTER_SEQUENCE = "afterSequence";
    static final String IMAGE_DATA = "imageData";
    static final String LAST_EVENT_ID = "Last-Event-ID";

    /** Bytes in base64, and some more for what is around them. */
    private static final int MORE_THAN_BASE64 = 64 << 10;

    private final Calls calls;
    private final RestConfig config;
    private final Exchange.Setting setting;
    private final Upload.Limits uploads;
    private final boolean forThisMachine;
    private final Reply openApi;
    private final ExecutorService threads = Executors.newFixedThreadPool(
            Math.max(2, Runtime.getRuntime().availableProcessors()), new DaemonThreads("http-call"));

    RestApi(
            Calls calls,
            Vertx vertx,
            RestConfig config,
            LimitsConfig limits,
            ServerSetup server,
            @ConfigProperty(name = "quarkus.http.cors.enabled", defaultValue = "false") boolean crossOrigin,
            @ConfigProperty(name = "quarkus.application.version") String version) {
        this.calls = calls;
        this.config = config;
        this.setting = new Exchange.Setting(vertx, threads, limits.clientStall(), crossOrigin);
        long mostOfBody = limits.maxRequestBytes().asLongValue() * 4 / 3 + MORE_THAN_BASE64;
        long mostOfAll = Math.max(mostOfBody, limits.maxQueuedBytes().asLongValue());
        this.uploads = new Upload.Limits(mostOfBody, limits.clientStall(), new BodyBudget(mostOfAll));
        this.forThisMachine = server.isForThisMachine();
        this.openApi = Reply.json(HttpStatus.OK, OpenApi.document(version));
    }

    void open(@Observes Router router) {
        if (config.enabled()) {
            router.route("/v1/*").handler(http -> serve(http.request()));
            router.get("/openapi.json").handler(http -> unasked(http.request()).answer(openApi));
        }
    }

    private void serve(HttpServerRequest request) {
        List<Endpoint> there = Endpoint.at(request.path());
        String methods = there.stream().map(Endpoint::method).collect(Collectors.joining(", "));
        Optional<Endpoint> endpoint = there.stream()
                .filter(candidate -> candidate.method().equals(request.method().name()))
                .findFirst();
        if (there.isEmpty()) {
            refuse(request, HttpStatus.NOT_FOUND, ErrorReason.UNIMPLEMENTED, "there is nothing at this path");
        } else if (endpoint.isEmpty()) {
            request.response().putHeader(HttpHeaderNames.ALLOW, methods);
            refuse(request, HttpStatus.METHOD_NOT_ALLOWED, ErrorReason.UNIMPLEMENTED, "this path takes " + methods);
        } else if (forThisMachine && Sites.isAtAName(request)) {
            refuse(
                    request,
                    HttpStatus.FORBIDDEN,
                    ErrorReason.PERMISSION_DENIED,
                    "where nobody is asked who they are, calls come to localhost or an IP address"
                            + " (arc2face.security.allow-anonymous=true lets everybody in)");
        } else if (!setting.crossOrigin() && Sites.isElsewhere(request)) {
            refuse(
                    request,
                    HttpStatus.FORBIDDEN,
                    ErrorReason.PERMISSION_DENIED,
                    "pages of other sites may not call (quarkus.http.cors lets them)");
        } else if (!MediaTypes.accepts(
                request.getHeader(HttpHeaderNames.ACCEPT), endpoint.get().mediaType())) {
            refuse(
                    request,
                    HttpStatus.NOT_ACCEPTABLE,
                    ErrorReason.INVALID_REQUEST,
                    "the answer is " + endpoint.get().mediaType());
        } else {
            try {
                serve(endpoint.get(), request);
            } catch (FailureException invalid) { // of what is in the address
                unasked(request).answer(Problem.of(invalid));
            }
        }
    }

    private void serve(Endpoint endpoint, HttpServerRequest request) {
        switch (endpoint) {
            case BEGIN_GENERATION ->
                upload(request, PortraitServiceGrpc.getGenerateMethod(), endpoint, RestApi::accepted);
            case DETECT_FACES -> upload(request, PortraitServiceGrpc.getDetectFacesMethod(), endpoint, RestApi::json);
            case EMBED_FACE -> upload(request, PortraitServiceGrpc.getEmbedFaceMethod(), endpoint, RestApi::json);
            case COMPARE_FACES -> upload(request, PortraitServiceGrpc.getCompareFacesMethod(), endpoint, RestApi::json);
            case GET_MODEL_INFO -> {
                GetModelInfoRequest question = GetModelInfoRequest.getDefaultInstance();
                ask(request, PortraitServiceGrpc.getGetModelInfoMethod(), question, RestApi::json);
            }
            case CANCEL_GENERATION -> {
                CancelGenerationRequest cancellation = CancelGenerationRequest.newBuilder()
                        .setRequestId(endpoint.parameter(Endpoint.REQUEST_ID, request.path()))
                        .build();
                ask(request, PortraitServiceGrpc.getCancelGenerationMethod(), cancellation, RestApi::cancelled);
            }
            case GET_GENERATION -> {
                UnaryOperator<GenerateResponse> view = view(request);
                String id = endpoint.parameter(Endpoint.REQUEST_ID, request.path());
                ask(request, DetachedService.LATEST, id, latest -> json(view.apply(latest)));
            }
            case GET_PORTRAIT -> {
                DetachedService.PortraitName name = new DetachedService.PortraitName(
                        endpoint.parameter(Endpoint.REQUEST_ID, request.path()),
                        Integer.parseInt(endpoint.parameter(Endpoint.IMAGE_INDEX, request.path())));
                String known = request.getHeader(HttpHeaderNames.IF_NONE_MATCH);
                ask(request, DetachedService.PORTRAIT, name, portrait -> Pictures.reply(portrait, known));
            }
            case LISTEN_TO_GENERATION -> {
                DetachedService.Listening listening = new DetachedService.Listening(
                        endpoint.parameter(Endpoint.REQUEST_ID, request.path()), heard(request));
                EventStream stream = new EventStream(request, setting, config.heartbeat(), view(request));
                stream.begin(calls, DetachedService.LISTEN).request(listening);
                stream.open();
            }
        }
    }

    /** Has a call served whose message is the request's body. */
    @SuppressWarnings("unchecked") // an endpoint's request is its method's
    private <Q extends Message, R> void upload(
            HttpServerRequest request, MethodDescriptor<Q, R> method, Endpoint endpoint, Function<R, Reply> form) {
        Optional<Body> body = MediaTypes.body(request);
        if (body.isEmpty()) {
            request.response().putHeader(HttpHeaderNames.ACCEPT, MediaTypes.OF_BODIES);
            refuse(
                    request,
                    HttpStatus.UNSUPPORTED_MEDIA_TYPE,
                    ErrorReason.INVALID_REQUEST,
                    "the body must be " + MediaTypes.OF_BODIES + ", and not compressed");
            return;
        }
        Answer<R> answer = new Answer<>(request, setting, form);
        answer.receive(answer.begin(calls, method), (Q) endpoint.request().orElseThrow(), body.get(), uploads);
    }

    /** Has a call served whose message is in the request's address. */
    private <Q, R> void ask(
            HttpServerRequest request, MethodDescriptor<Q, R> method, Q question, Function<R, Reply> form) {
        new Answer<>(request, setting, form).begin(calls, method).request(question);
    }

    private void refuse(HttpServerRequest request, int status, ErrorReason reason, String detail) {
        unasked(request).answer(Problem.of(status, reason, detail));
    }

    /** For an answer that the service is not asked for. */
    private Answer<Void> unasked(HttpServerRequest request) {
        return new Answer<>(request, setting, none -> Reply.empty(HttpStatus.NO_CONTENT));
    }

    private static Reply json(MessageOrBuilder message) {
        return Reply.json(HttpStatus.OK, JsonWriting.line(message));
    }

    private static Reply accepted(GenerateResponse first) {
        return Reply.json(HttpStatus.ACCEPTED, JsonWriting.line(first))
                .with("Location", "/v1/generations/" + first.getAccepted().getRequestId());
    }

    private static Reply cancelled(CancelGenerationResponse response) {
        return response.getCancelled()
                ? json(response)
                : Reply.of(Problem.of(FailureException.of(
                        ErrorReason.GENERATION_NOT_FOUND, "there is no such generation of yours here")));
    }

    /** What of an event the caller wants to see: all, or without the bytes of finished portraits. */
    private static UnaryOperator<GenerateResponse> view(HttpServerRequest request) {
        String imageData = request.getParam(IMAGE_DATA);
        if (imageData == null || imageData.equals("true")) {
            return UnaryOperator.identity();
        }
        if (!imageData.equals("false")) {
            throw FieldPath.invalid(IMAGE_DATA, "must be true or false");
        }
        return JsonWriting::withoutImageData;
    }

    /** The last event that the caller has heard of; what a browser says that comes back is newer than the address. */
    private static long heard(HttpServerRequest request) {
        String inHeader = request.getHeader(LAST_EVENT_ID);
        String field = inHeader == null || inHeader.isEmpty() ? AFTER_SEQUENCE : LAST_EVENT_ID;
        String id = field.equals(LAST_EVENT_ID) ? inHeader : request.getParam(AFTER_SEQUENCE);
        if (id == null || id.isEmpty()) {
            return 0;
        }
        if (id.equals(EventStream.END)) {
            return EventNumbers.END;
        }
        try {
            long sequence = Long.parseLong(id);
            if (sequence >= 0) {
                return sequence;
            }
        } catch (NumberFormatException none) {
            // as for a negative one
        }
        throw FieldPath.invalid(field, "must be the id of an event");
    }

    @PreDestroy
    void close() {
        threads.shutdownNow();
    }
}
