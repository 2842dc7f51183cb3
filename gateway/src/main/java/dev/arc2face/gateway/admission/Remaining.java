package dev.arc2face.gateway.admission;

/**
 * What a generation has still to do, in this order.
 *
 * @param before seconds until its first UNet call
 * @param pace index of its {@link CallTime}
 * @param guidedCalls UNet calls of {@code guidedRows} rows each
 * @param plainCalls UNet calls of {@code plainRows} rows each, after those
 * @param after seconds after its last UNet call
 */
record Remaining(
        double before,
        int pace,
        double guidedCalls,
        double guidedRows,
        double plainCalls,
        double plainRows,
        double after) {}
