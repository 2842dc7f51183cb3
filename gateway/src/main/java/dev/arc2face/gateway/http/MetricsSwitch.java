package dev.arc2face.gateway.http;

import dev.arc2face.gateway.config.MetricsConfig;
import io.quarkus.vertx.http.ManagementInterface;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;

/** Shuts the metrics page where it is not wanted: the management port asks nobody who they are. */
@Singleton
final class MetricsSwitch {
    private static final int NOT_FOUND = 404;

    void shut(@Observes ManagementInterface management, MetricsConfig config) {
        if (!config.enabled()) {
            management
                    .router()
                    .route("/q/metrics*")
                    .order(Integer.MIN_VALUE) // before the page itself, which is there already
                    .handler(page -> page.response().setStatusCode(NOT_FOUND).end());
        }
    }
}
