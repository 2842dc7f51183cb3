package dev.arc2face.gateway.diffusion;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/**
 * The scheduler settings of a UNet in diffusers' own keys. Each scheduler reads the keys it knows and gives its own
 * default for those that are absent or null, as {@code from_config} does; keys that it does not know do not concern
 * it. A setting that would change the maths and is not supported is refused by name: every failure is
 * MODEL_CONTRACT_VIOLATED.
 */
final class SchedulerConfig {
    private static final String PARAMETER = "scheduler_config";

    private final String model;
    private final JsonObject settings;

    private SchedulerConfig(String model, JsonObject settings) {
        this.model = model;
        this.settings = settings;
    }

    /** Parses the {@code scheduler_config} parameter of this model. */
    static SchedulerConfig parse(String model, String json) {
        try {
            if (JsonParser.parseString(json) instanceof JsonObject settings) {
                if (settings.remove("_use_default_values") instanceof JsonArray keys) {
                    keys.forEach(key -> settings.remove(key.getAsString()));
                }
                return new SchedulerConfig(model, settings);
            }
        } catch (JsonParseException | IllegalStateException | UnsupportedOperationException e) {
            throw FailureException.causedBy(
                    e, ErrorReason.MODEL_CONTRACT_VIOLATED, model + ": " + PARAMETER + " is not JSON");
        }
        throw FailureException.of(
                ErrorReason.MODEL_CONTRACT_VIOLATED, model + ": " + PARAMETER + " is not a JSON object");
    }

    boolean flag(String key, boolean absent) {
        JsonPrimitive value = primitive(key);
        if (value == null) {
            return absent;
        }
        if (!value.isBoolean()) {
            throw violation(key, "is not true or false");
        }
        return value.getAsBoolean();
    }

    int integer(String key, int absent) {
        double value = number(key, absent);
        if (value != StrictMath.rint(value) || StrictMath.abs(value) > Integer.MAX_VALUE) {
            throw violation(key, "is not an integer");
        }
        return (int) value;
    }

    double number(String key, double absent) {
        return number(key).orElse(absent);
    }

    OptionalDouble number(String key) {
        JsonPrimitive value = primitive(key);
        if (value == null) {
            return OptionalDouble.empty();
        }
        try {
            // Python writes -Infinity, which Gson reads as an unquoted string.
            return OptionalDouble.of(Double.parseDouble(value.getAsString()));
        } catch (NumberFormatException e) {
            throw violation(key, "is not a number");
        }
    }

    /** The largest magnitude of x0, infinite where nothing is clipped; {@code absent} is a scheduler's own default. */
    double clip(boolean absent) {
        return flag("clip_sample", absent) ? number("clip_sample_range", 1) : Double.POSITIVE_INFINITY;
    }

    /** By how much the timesteps of {@link TimestepSpacing#LEADING} are moved, from 0. */
    int stepsOffset() {
        int offset = integer("steps_offset", 0);
        if (offset < 0) {
            throw violation("steps_offset", "is negative");
        }
        return offset;
    }

    /** The constant whose lower-case name is the setting's value. */
    <E extends Enum<E>> E choice(String key, E absent) {
        JsonPrimitive value = primitive(key);
        if (value == null) {
            return absent;
        }
        return Arrays.stream(absent.getDeclaringClass().getEnumConstants())
                .filter(constant -> constant.name().toLowerCase(Locale.ROOT).equals(value.getAsString()))
                .findFirst()
                .orElseThrow(() -> unsupported(key, value));
    }

    /** Refuses a setting that is present and has none of these values. */
    void require(String key, Object... supported) {
        JsonPrimitive value = primitive(key);
        if (value != null && Arrays.stream(supported).map(String::valueOf).noneMatch(value.getAsString()::equals)) {
            throw unsupported(key, value);
        }
    }

    /** Refuses a setting that is present and not null. */
    void refuse(String key) {
        JsonElement value = settings.get(key);
        if (value != null && !value.isJsonNull()) {
            throw unsupported(key, value);
        }
    }

    /** The failure that names the model and the key. */
    FailureException violation(String key, String problem) {
        return FailureException.of(
                ErrorReason.MODEL_CONTRACT_VIOLATED,
                model + ": " + PARAMETER + ": " + key + " " + problem,
                Map.of("model", model, "tensor", "parameters." + PARAMETER + "." + key));
    }

    private FailureException unsupported(String key, JsonElement value) {
        return violation(key, "= " + value + " is not supported");
    }

    private @Nullable JsonPrimitive primitive(String key) {
        JsonElement value = settings.get(key);
        if (value == null || value.isJsonNull()) {
            return null;
        }
        if (value instanceof JsonPrimitive primitive) {
            return primitive;
        }
        throw unsupported(key, value);
    }
}
