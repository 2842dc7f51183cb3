package dev.arc2face.gateway.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class DurationsTest {
    @ParameterizedTest
    @CsvSource({
        "-5, 0.0 s",
        "0, 0.0 s",
        "449, 0.4 s",
        "9949, 9.9 s",
        "9950, 10 s",
        "59499, 59 s",
        "59500, 1 min 0 s",
        "200000, 3 min 20 s",
        "3599499, 59 min 59 s",
        "7500000, 2 h 5 min"
    })
    void formats(long millis, String text) {
        assertThat(Durations.format(Duration.ofMillis(millis))).isEqualTo(text);
    }

    @ParameterizedTest
    @CsvSource({"90, PT1M30S", "90s, PT1M30S", "500ms, PT0.5S", "2m, PT2M", "1h, PT1H"})
    void reads(String text, Duration duration) {
        assertThat(new Durations.Converter().convert(text)).isEqualTo(duration);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0", "-1", "1.5s", "soon", "1 s", "99999999999"})
    void refuses(String text) {
        assertThatThrownBy(() -> new Durations.Converter().convert(text)).isInstanceOf(TypeConversionException.class);
    }

    @Test
    void unsignedIntCoversUint32() {
        assertThat(new UnsignedInt().convert("4294967295")).isEqualTo(-1);
        assertThatThrownBy(() -> new UnsignedInt().convert("-1")).isInstanceOf(TypeConversionException.class);
        assertThatThrownBy(() -> new UnsignedInt().convert("4294967296")).isInstanceOf(TypeConversionException.class);
    }
}
