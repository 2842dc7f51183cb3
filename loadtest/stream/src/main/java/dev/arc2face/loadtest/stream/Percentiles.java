package dev.arc2face.loadtest.stream;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import org.HdrHistogram.Histogram;

/** What is told of a histogram. */
final class Percentiles {
    private static final Map<String, Double> TOLD = told();

    private Percentiles() {}

    /** Name to value, in the histogram's unit. */
    static Map<String, Long> of(Histogram histogram) {
        Map<String, Long> values = new LinkedHashMap<>();
        TOLD.forEach((name, percentile) -> values.put(name, histogram.getValueAtPercentile(percentile)));
        values.put("max", histogram.getMaxValue());
        return values;
    }

    /** The whole histogram as HdrHistogram's log format has it, to be merged with those of other runs. */
    static String base64(Histogram histogram) {
        ByteBuffer buffer = ByteBuffer.allocate(histogram.getNeededByteBufferCapacity());
        int length = histogram.encodeIntoCompressedByteBuffer(buffer);
        return Base64.getEncoder().encodeToString(Arrays.copyOf(buffer.array(), length));
    }

    private static Map<String, Double> told() {
        Map<String, Double> told = new LinkedHashMap<>();
        told.put("p50", 50.0);
        told.put("p90", 90.0);
        told.put("p95", 95.0);
        told.put("p99", 99.0);
        told.put("p99.9", 99.9);
        return told;
    }
}
