package dev.arc2face.gateway.admission;

import dev.arc2face.gateway.diffusion.Workload;
import java.util.OptionalLong;

/**
 * What a generation asks of the server.
 *
 * @param workload its UNet calls
 * @param bytes that it holds while it waits
 * @param deadline by when it must have ended, by the clock of the admission; empty where it has all the time
 */
public record Demand(Workload workload, long bytes, OptionalLong deadline) {}
