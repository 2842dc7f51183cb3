package dev.arc2face.loadtest.stream;

import dev.arc2face.v1.GenerateRequest;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What one call asks for and how its caller behaves.
 *
 * @param deadline from the moment when the call is meant to start; null is none
 * @param cancelAfterSteps the caller cancels when it hears of this step; 0 is never
 */
record PlannedCall(GenerateRequest request, @Nullable Duration deadline, int cancelAfterSteps) {
    int images() {
        return request.getNumImages();
    }
}
