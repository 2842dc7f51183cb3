package dev.arc2face.gateway.admission;

/**
 * How long a UNet call takes when so many rows of all callers are in flight, its own included: a straight line.
 *
 * @param base seconds with no row at all, at least 0
 * @param perRow seconds for each row, at least 0
 */
record CallTime(double base, double perRow) {
    double at(double rows) {
        return base + perRow * rows;
    }
}
