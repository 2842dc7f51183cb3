package dev.arc2face.gateway.admission;

/**
 * Learns a {@link CallTime} from calls as they happen: least squares in which a sample counts half as much after
 * {@value #HALF_LIFE} later ones. Neither coefficient is ever negative. Where all samples have had about the same rows,
 * which says nothing about the slope, the time is taken to be proportional to the rows; the more they vary the less that
 * assumption weighs. A sample that took longer than {@value #OUTLIER} times what was expected counts as that much: one
 * hiccup is no new pace, and a pace that has changed for good is still learned within a few dozen samples.
 */
final class CallTimeFit {
    private static final int HALF_LIFE = 64;
    private static final int OUTLIER = 3;
    private static final int ENOUGH = 5;
    private static final double KEPT = Math.pow(0.5, 1.0 / HALF_LIFE);

    /** The variance of the rows, relative to their squared mean, at which data and assumption weigh the same. */
    private static final double ASSUMED_VARIANCE = 0.01;

    private long samples;
    private double weight;
    private double meanRows;
    private double meanSeconds;
    private double rowsRows; // weighted sums of products of deviations from the means
    private double rowsSeconds;
    private CallTime fitted = new CallTime(0, 0);

    /**
     * A call has ended.
     *
     * @param rows in flight while it ran, on average; more than 0
     * @param seconds that it took, at least 0
     */
    void add(double rows, double seconds) {
        double counted = isMeasured() ? Math.min(seconds, OUTLIER * fitted.at(rows)) : seconds;
        samples++;
        weight = KEPT * weight + 1;
        double fromMean = rows - meanRows;
        meanRows += fromMean / weight;
        meanSeconds += (counted - meanSeconds) / weight;
        rowsRows = KEPT * rowsRows + fromMean * (rows - meanRows);
        rowsSeconds = KEPT * rowsSeconds + fromMean * (counted - meanSeconds);

        double proportional = meanSeconds / meanRows;
        double assumed = ASSUMED_VARIANCE * meanRows * meanRows;
        double slope = (rowsSeconds / weight + assumed * proportional) / (rowsRows / weight + assumed);
        double perRow = Math.max(0, Math.min(slope, proportional));
        fitted = new CallTime(meanSeconds - perRow * meanRows, perRow);
    }

    /** Whether there have been enough samples to say anything. */
    boolean isMeasured() {
        return samples >= ENOUGH;
    }

    CallTime fitted() {
        return fitted;
    }
}
