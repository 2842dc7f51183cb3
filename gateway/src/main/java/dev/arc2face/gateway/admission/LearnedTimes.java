package dev.arc2face.gateway.admission;

import dev.arc2face.gateway.diffusion.Workload;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What generations have been seen to take: UNet calls by variant, the time before the first of them, and the time that
 * each picture takes after the last. A variant that has not run yet is taken to be as fast as one that has. Nothing is
 * known before {@link #isMeasured}. Not safe for use by several threads.
 */
final class LearnedTimes {
    /** Weight of the latest generation in the times before and after. */
    private static final double NEWEST = 0.2;

    private final Map<String, Integer> indexes = new LinkedHashMap<>();
    private final List<CallTimeFit> fits = new ArrayList<>();
    private double before;
    private double afterEach;
    private boolean finishedOnce;

    void callEnded(String variant, double rows, double seconds) {
        fits.get(index(variant)).add(rows, seconds);
    }

    /**
     * A generation has finished.
     *
     * @param secondsBefore until its first UNet call
     * @param secondsAfterEach after its last one, for each picture
     */
    void finished(double secondsBefore, double secondsAfterEach) {
        double weight = finishedOnce ? NEWEST : 1;
        before += weight * (secondsBefore - before);
        afterEach += weight * (secondsAfterEach - afterEach);
        finishedOnce = true;
    }

    /** Whether anything has been measured. */
    boolean isMeasured() {
        return fits.stream().anyMatch(CallTimeFit::isMeasured);
    }

    /** Whether a variant has been measured itself. */
    boolean isMeasured(String variant) {
        return fits.get(index(variant)).isMeasured();
    }

    /** The call time of a variant. */
    CallTime pace(String variant) {
        int index = index(variant); // before the paces: it may be a new one
        return paces().get(index);
    }

    /**
     * What is to be expected of these generations, which were all made by this; meaningless while nothing has been
     * measured. Parameters as those of {@link Forecast#of}.
     */
    Forecast forecast(double leastRows, int places, List<Remaining> running, List<Remaining> waiting) {
        return Forecast.of(paces(), leastRows, places, running, waiting);
    }

    /** Call times by the index that {@link Remaining#pace} has. */
    private List<CallTime> paces() {
        CallTime other = fits.stream()
                .filter(CallTimeFit::isMeasured)
                .findFirst()
                .map(CallTimeFit::fitted)
                .orElse(new CallTime(0, 0));
        return fits.stream().map(fit -> fit.isMeasured() ? fit.fitted() : other).toList();
    }

    /** All of a generation. */
    Remaining all(Workload workload) {
        return remaining(workload, before, 0, afterEach * workload.pictures());
    }

    /** A generation that began so many seconds ago and has not begun to denoise. */
    Remaining begun(Workload workload, double secondsAgo) {
        return remaining(workload, Math.max(0, before - secondsAgo), 0, afterEach * workload.pictures());
    }

    /** A generation that has done so many of its steps. */
    Remaining denoising(Workload workload, int stepsDone) {
        return remaining(workload, 0, stepsDone, afterEach * workload.pictures());
    }

    /** A generation whose last step is so many seconds ago. */
    Remaining finishing(Workload workload, double secondsAgo) {
        return remaining(workload, 0, workload.steps(), Math.max(0, afterEach * workload.pictures() - secondsAgo));
    }

    private Remaining remaining(Workload workload, double secondsBefore, int stepsDone, double secondsAfter) {
        Workload.Part guided = workload.guided();
        Workload.Part plain = workload.plain();
        int guidedDone = Math.min(stepsDone, guided.steps());
        return new Remaining(
                secondsBefore,
                index(workload.variant()),
                (double) (guided.steps() - guidedDone) * guided.callsPerStep(),
                guided.rowsPerCall(),
                (double) (workload.steps() - Math.max(stepsDone, guided.steps())) * plain.callsPerStep(),
                plain.rowsPerCall(),
                secondsAfter);
    }

    private int index(String variant) {
        return indexes.computeIfAbsent(variant, unused -> {
            fits.add(new CallTimeFit());
            return fits.size() - 1;
        });
    }
}
