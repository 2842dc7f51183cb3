package dev.arc2face.loadtest.stream;

import com.google.gson.GsonBuilder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import org.HdrHistogram.Histogram;

/** A result for programs to read; the README tells its fields. */
final class JsonReport {
    private JsonReport() {}

    static String of(Result result, List<String> arguments) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("arguments", arguments);
        json.put("began", result.began().toString());
        json.put(
                "served",
                Map.of(
                        "profile", result.served().getProfile(),
                        "model_server", result.served().getModelServer(),
                        "gateway_version", result.served().getGatewayVersion()));
        json.put("window_seconds", result.windowSeconds());
        json.putAll(recording(result.recording(), result.windowSeconds()));
        json.put("slow_readers", recording(result.slowReaders(), result.windowSeconds()));
        json.put("idle_streams", Map.of("opened", result.idleStreams(), "ended", result.idleEnded()));
        json.put(
                "tester",
                Map.of(
                        "cpu_seconds_in_window", result.cpuInWindow(),
                        "cpu_seconds", result.cpu(),
                        "processors", Usage.processors(),
                        "java", Runtime.version().toString()));
        return new GsonBuilder()
                .setPrettyPrinting()
                .disableHtmlEscaping()
                .create()
                .toJson(json);
    }

    private static Map<String, Object> recording(Recording recording, double seconds) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("throughput", throughput(recording.throughput, seconds));
        json.put("outcomes", outcomes(recording.outcomes()));
        Map<String, Object> latencies = new LinkedHashMap<>();
        for (Metric metric : Metric.values()) {
            latencies.put(metric.key(), histogram(recording.histogram(metric)));
        }
        json.put("micros", latencies);
        Map<String, Object> bySteps = new LinkedHashMap<>();
        recording.totalBySteps().forEach((steps, total) -> bySteps.put(steps.toString(), histogram(total)));
        json.put("total_micros_by_steps", bySteps);
        return json;
    }

    private static Map<String, Object> throughput(Recording.Throughput throughput, double seconds) {
        Map<String, Object> json = new LinkedHashMap<>();
        put(json, "steps", throughput.steps.sum(), seconds);
        put(json, "picture_steps", throughput.pictureSteps.sum(), seconds);
        put(json, "pictures", throughput.pictures.sum(), seconds);
        put(json, "good_calls", throughput.goodCalls.sum(), seconds);
        put(json, "good_picture_steps", throughput.goodPictureSteps.sum(), seconds);
        return json;
    }

    private static void put(Map<String, Object> json, String what, long count, double seconds) {
        json.put(what, count);
        json.put(what + "_per_second", seconds > 0 ? count / seconds : 0);
    }

    private static List<Map<String, Object>> outcomes(SortedMap<Ending.Outcome, Recording.Calls> outcomes) {
        return outcomes.entrySet().stream()
                .map(entry -> {
                    Recording.Calls calls = entry.getValue();
                    Map<String, Object> json = new LinkedHashMap<>();
                    json.put("code", entry.getKey().code().name());
                    json.put("reason", entry.getKey().reason());
                    json.put("calls", calls.calls.sum());
                    json.put("admitted", calls.admitted.sum());
                    json.put("admitted_with_deadline", calls.admittedWithDeadline.sum());
                    json.put("steps", calls.steps.sum());
                    json.put("picture_steps", calls.pictureSteps.sum());
                    json.put("pictures", calls.pictures.sum());
                    json.put("retry_infos", calls.retryInfos.sum());
                    return json;
                })
                .toList();
    }

    private static Map<String, Object> histogram(Histogram histogram) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("count", histogram.getTotalCount());
        if (histogram.getTotalCount() > 0) {
            json.put("mean", histogram.getMean());
            json.put("min", histogram.getMinValue());
            json.putAll(Percentiles.of(histogram));
            json.put("hdr", Percentiles.base64(histogram));
        }
        return json;
    }
}
