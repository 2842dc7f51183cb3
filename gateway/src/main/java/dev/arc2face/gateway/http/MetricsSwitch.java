package dev.arc2face.gateway.http;

import dev.arc2face.gateway.config.MetricsConfig;
import io.quarkus.vertx.http.runtime.filters.Filters;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;

/** Shuts the metrics page where it is not wanted: the HTTP port asks nobody who they are. */
@Singleton
final class MetricsSwitch {
    private static final int BEFORE_ALL = 1000;
    private static final int NOT_FOUND = 404;

    void shut(@Observes Filters filters, MetricsConfig config) {
        if (!config.enabled()) {
            filters.register(
                    page -> {
                        if (page.normalizedPath().startsWith("/q/metrics")) {
                            page.response().setStatusCode(NOT_FOUND).end();
                        } else {
                            page.next();
                        }
                    },
                    BEFORE_ALL);
        }
    }
}
