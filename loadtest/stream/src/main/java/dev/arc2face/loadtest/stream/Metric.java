package dev.arc2face.loadtest.stream;

import java.util.Locale;

/** What is measured of a stream. All but the last four start at the moment when the call was <em>meant</em> to start. */
enum Metric {
    GENERATOR_DELAY("how late this tester itself started the call"),
    FIRST_EVENT("the first event, which says that the call was accepted"),
    FIRST_PROGRESS("the first denoising step is done"),
    FIRST_PICTURE("the first finished portrait"),
    TOTAL("the end of a call that succeeded"),
    REFUSED("the end of a call that got RESOURCE_EXHAUSTED before any event"),
    FAILED("the end of a call that failed otherwise"),
    CANCELLED("the end of a call that this tester cancelled"),
    BETWEEN_STEPS("from one progress event to the next of the same stream"),
    STEP_JITTER("by how much two such gaps in a row differ"),
    REFUSED_AFTER_START("as refused, from the moment when the call really started"),
    RETRY_DELAY("what RetryInfo told to wait");

    private final String meaning;

    Metric(String meaning) {
        this.meaning = meaning;
    }

    String meaning() {
        return meaning;
    }

    /** Its name in JSON. */
    String key() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Its name in a table. */
    String title() {
        return key().replace('_', ' ');
    }
}
