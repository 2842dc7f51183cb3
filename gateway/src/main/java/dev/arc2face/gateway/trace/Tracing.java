package dev.arc2face.gateway.trace;

import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import jakarta.annotation.PreDestroy;
import jakarta.inject.Singleton;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.eclipse.microprofile.config.Config;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Where spans go: by OpenTelemetry's own settings ({@code otel.*}, {@code OTEL_*}), wherever else the gateway's are. Where
 * they name no exporter nothing is recorded and no thread is started, but a caller's trace still goes on to Triton.
 *
 * <p>It is the SDK, without Quarkus' extension: that keeps contexts where Vert.x runs things, and the gateway's work is
 * done on threads of its own.
 */
@Singleton
public final class Tracing {
    private static final Logger LOG = Logger.getLogger(Tracing.class);

    private static final String EXPORTER = "otel.traces.exporter";
    private static final String NONE = "none";

    private final Optional<OpenTelemetrySdk> sdk;
    private final Tracer tracer;

    Tracing(
            Config config,
            @ConfigProperty(name = "quarkus.application.name") String name,
            @ConfigProperty(name = "quarkus.application.version") String version) {
        Map<String, String> settings = settings(config, name);
        sdk = isWanted(settings) ? Optional.of(start(settings, version)) : Optional.empty();
        OpenTelemetry traces = sdk.<OpenTelemetry>map(started -> started)
                .orElseGet(() -> OpenTelemetry.propagating(ContextPropagators.create(TraceHeaders.FORMAT)));
        tracer = traces.getTracer("dev.arc2face.gateway", version);
    }

    /** The context of a call that has just come, with the caller's span where its headers name one. */
    public Context receive(UnaryOperator<@Nullable String> headers) {
        return Spans.madeBy(tracer, TraceHeaders.read(headers, Context.root()));
    }

    private static boolean isWanted(Map<String, String> settings) {
        boolean hasEndpoint = settings.containsKey("otel.exporter.otlp.endpoint")
                || settings.containsKey("otel.exporter.otlp.traces.endpoint");
        String exporter = settings.getOrDefault(EXPORTER, hasEndpoint ? "otlp" : NONE);
        return !exporter.equals(NONE) && !Boolean.parseBoolean(settings.getOrDefault("otel.sdk.disabled", "false"));
    }

    private static OpenTelemetrySdk start(Map<String, String> settings, String version) {
        LOG.infof("spans go to %s", settings.getOrDefault(EXPORTER, "otlp"));
        return AutoConfiguredOpenTelemetrySdk.builder()
                .addPropertiesSupplier(() -> settings)
                .addResourceCustomizer((resource, unused) ->
                        resource.toBuilder().put("service.version", version).build())
                .setServiceClassLoader(Tracing.class.getClassLoader())
                .disableShutdownHook()
                .build()
                .getOpenTelemetrySdk();
    }

    /** What is set, over what holds otherwise: metrics and logs have ways of their own. */
    private static Map<String, String> settings(Config config, String name) {
        Map<String, String> settings = new HashMap<>(Map.of(
                "otel.service.name", name,
                "otel.propagators", "tracecontext",
                "otel.exporter.otlp.protocol", "http/protobuf",
                "otel.metrics.exporter", NONE,
                "otel.logs.exporter", NONE));
        for (String key : config.getPropertyNames()) {
            if (key.startsWith("otel.") || key.startsWith("OTEL_")) { // a variable of the environment keeps its name
                String setting = key.toLowerCase(Locale.ROOT).replace('_', '.');
                config.getOptionalValue(key, String.class).ifPresent(value -> settings.put(setting, value));
            }
        }
        return settings;
    }

    /** What has not been sent yet is. */
    @PreDestroy
    void close() {
        sdk.ifPresent(OpenTelemetrySdk::close);
    }
}
