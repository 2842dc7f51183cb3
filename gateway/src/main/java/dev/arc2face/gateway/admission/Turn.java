package dev.arc2face.gateway.admission;

import java.time.Duration;
import java.util.Optional;

/**
 * Where a waiting generation is.
 *
 * @param position 1 is the next to start
 * @param expectedWait until it starts, if nobody else comes or goes; empty while nothing has been measured
 */
public record Turn(int position, Optional<Duration> expectedWait) {}
