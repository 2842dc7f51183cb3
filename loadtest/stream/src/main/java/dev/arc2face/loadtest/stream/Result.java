package dev.arc2face.loadtest.stream;

import dev.arc2face.v1.GetModelInfoResponse;
import java.time.Instant;
import java.util.Map;

/**
 * What a run has found out.
 *
 * @param served what the gateway said of itself
 * @param recording of the load that is measured
 * @param slowReaders of those who hardly read
 * @param idleEnded the idle streams that the server ended, by how
 * @param windowSeconds the window's length
 * @param cpuInWindow CPU seconds of this process while the window was open
 * @param cpu the same since it began
 */
record Result(
        GetModelInfoResponse served,
        Instant began,
        Recording recording,
        Recording slowReaders,
        int idleStreams,
        Map<String, Integer> idleEnded,
        double windowSeconds,
        double cpuInWindow,
        double cpu) {}
