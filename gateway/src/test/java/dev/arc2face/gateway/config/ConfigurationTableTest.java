package dev.arc2face.gateway.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class ConfigurationTableTest {
    private static final Path TABLE = Path.of("..", "docs", "configuration.md");
    private static final Pattern ROW = Pattern.compile("^\\| `(arc2face\\.[a-z.-]+)` \\| `([^`]+)` \\| (.+) \\|$");
    private static final Pattern WORD_START = Pattern.compile("([A-Z])");

    @Test
    void theTableOfTheDocumentationIsWhatTheCodeSays() throws IOException {
        assertThat(documented())
                .isEqualTo(defaults(
                        GenerationConfig.class,
                        LimitsConfig.class,
                        MetricsConfig.class,
                        PolicyConfig.class,
                        QuotasConfig.class,
                        ReadinessConfig.class,
                        ReceiptsConfig.class,
                        ResumeConfig.class,
                        SecurityConfig.class,
                        TritonConfig.class));
    }

    private static Map<String, String> documented() throws IOException {
        Map<String, String> rows = new TreeMap<>();
        for (String line : Files.readAllLines(TABLE)) {
            Matcher row = ROW.matcher(line);
            if (row.matches()) {
                rows.put(row.group(1), row.group(2));
            }
        }
        return rows;
    }

    private static Map<String, String> defaults(Class<?>... configs) {
        Map<String, String> defaults = new TreeMap<>();
        for (Class<?> config : List.of(configs)) {
            collect(config.getAnnotation(ConfigMapping.class).prefix(), config, defaults);
        }
        return defaults;
    }

    private static void collect(String prefix, Class<?> config, Map<String, String> defaults) {
        for (Method key : config.getDeclaredMethods()) {
            if (!Modifier.isAbstract(key.getModifiers())) {
                continue;
            }
            String name = prefix + "."
                    + WORD_START.matcher(key.getName()).replaceAll("-$1").toLowerCase(java.util.Locale.ROOT);
            WithDefault value = key.getAnnotation(WithDefault.class);
            if (key.getReturnType().getDeclaringClass() == config) { // a group
                collect(name, key.getReturnType(), defaults);
            } else {
                defaults.put(name, value == null ? "none" : value.value());
            }
        }
    }
}
