package dev.arc2face.loadtest.stream;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/** What this tester itself has used of the machine. */
final class Usage {
    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private Usage() {}

    /** Of all threads since the process began. */
    static double cpuSeconds() {
        return SYSTEM.getProcessCpuTime() / 1e9;
    }

    static int processors() {
        return SYSTEM.getAvailableProcessors();
    }
}
