package dev.arc2face.gateway.admission;

import dev.arc2face.gateway.diffusion.Workload;

/**
 * What a generation asks of the server.
 *
 * @param workload its UNet calls
 * @param bytes that it holds while it waits
 */
public record Demand(Workload workload, long bytes) {}
