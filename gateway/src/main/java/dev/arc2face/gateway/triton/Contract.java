package dev.arc2face.gateway.triton;

import static java.util.Objects.requireNonNull;
import static java.util.stream.Collectors.joining;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.inference.ModelMetadataResponse.TensorMetadata;
import dev.arc2face.inference.ModelParameter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The model contract: which models there are, their tensors, and what their configuration must tell. A size is a
 * number, or a letter that stands for the same number wherever it occurs.
 */
final class Contract {
    static final String FACE_DETECTOR = "face_detector";
    static final String ARCFACE = "arcface";
    static final String ENCODER = "encoder";
    static final String UNET = "unet";
    static final String UNET_GUIDED = "unet_guided";
    static final String UNET_LCM = "unet_lcm";
    static final String VAE_DECODER = "vae_decoder";

    private static final int MIN_FACES = 64;
    private static final int MAX_BATCH_BYTES = Integer.MAX_VALUE; // of a protobuf message, and of an array
    private static final Set<DataType> UINT8 = EnumSet.of(DataType.UINT8);
    private static final Set<DataType> FP32 = EnumSet.of(DataType.FP32);
    private static final Set<DataType> FLOAT = EnumSet.of(DataType.FP32, DataType.FP16);

    private static final List<ModelRule> RULES = List.of(
            new ModelRule(
                    FACE_DETECTOR,
                    1,
                    List.of(new TensorRule("image", UINT8, "S", "S", "3")),
                    List.of(
                            new TensorRule("boxes", FP32, "K", "4"),
                            new TensorRule("scores", FP32, "K"),
                            new TensorRule("landmarks", FP32, "K", "5", "2")),
                    List.of(new ParameterRule("score_threshold", "a number from 0 to 1", Contract::isProbability))),
            new ModelRule(
                    ARCFACE,
                    1,
                    List.of(new TensorRule("face", UINT8, "112", "112", "3")),
                    List.of(new TensorRule("embedding", FP32, "D")),
                    List.of(new ParameterRule("recogniser_id", "a name", text -> !text.isBlank()))),
            new ModelRule(
                    ENCODER,
                    1,
                    List.of(new TensorRule("id_embedding", FP32, "D")),
                    List.of(
                            new TensorRule("context", FLOAT, "T", "C"),
                            new TensorRule("negative_context", FLOAT, "T", "C")),
                    List.of()),
            unet(UNET, 2), // both rows of a picture's guidance go in one call
            unet(UNET_GUIDED, 1, new TensorRule("guidance", FP32, "1")).asOptional(),
            unet(UNET_LCM, 2).asOptional(),
            new ModelRule(
                    VAE_DECODER,
                    1,
                    List.of(new TensorRule("latents", FLOAT, "4", "h", "w")),
                    List.of(new TensorRule("image", UINT8, "H", "W", "3")),
                    List.of(new ParameterRule(
                            "latent_rgb_factors",
                            "a JSON object of factors (4 lists of 3 numbers) and bias (3 numbers)",
                            Contract::isLatentRgbFactors))));

    /** The models of the contract, the optional ones too. */
    static final List<String> MODELS = RULES.stream().map(ModelRule::model).toList();

    /** What is known once the contract is kept. */
    record Checked(Sizes sizes, Map<String, Signature> signatures) {
        Signature signature(String model) {
            return optionalSignature(model).orElseThrow();
        }

        Optional<Signature> optionalSignature(String model) {
            return Optional.ofNullable(signatures.get(model));
        }
    }

    private static ModelRule unet(String model, int minBatchSize, TensorRule... moreInputs) {
        List<TensorRule> inputs = new ArrayList<>(List.of(
                new TensorRule("latents", FLOAT, "4", "h", "w"),
                new TensorRule("timestep", FP32, "1"),
                new TensorRule("context", FLOAT, "T", "C")));
        inputs.addAll(List.of(moreInputs));
        return new ModelRule(
                model,
                minBatchSize,
                inputs,
                List.of(new TensorRule("prediction", FLOAT, "4", "h", "w")),
                List.of(
                        new ParameterRule("scheduler_config", "a JSON object", Contract::isJsonObject),
                        new ParameterRule("default_steps", "a whole number from 1", Contract::isCount),
                        new ParameterRule("default_guidance", "a number from 1", Contract::isGuidance)));
    }

    private record ModelRule(
            String model,
            boolean required,
            int minBatchSize,
            List<TensorRule> inputs,
            List<TensorRule> outputs,
            List<ParameterRule> parameters) {
        ModelRule(
                String model,
                int minBatchSize,
                List<TensorRule> inputs,
                List<TensorRule> outputs,
                List<ParameterRule> parameters) {
            this(model, true, minBatchSize, inputs, outputs, parameters);
        }

        /** The same, for a model that need not be served. */
        ModelRule asOptional() {
            return new ModelRule(model, false, minBatchSize, inputs, outputs, parameters);
        }
    }

    private record TensorRule(String name, Set<DataType> types, List<String> sizes) {
        TensorRule(String name, Set<DataType> types, String... sizes) {
            this(name, types, List.of(sizes));
        }
    }

    private record ParameterRule(String key, String meaning, Predicate<String> holds) {}

    /** The number that a letter stands for, and where it was read first. */
    private record Binding(int size, String source) {}

    private final Map<String, Description> served;
    private final Map<String, Binding> bindings = new HashMap<>();
    private final List<Violation> violations = new ArrayList<>();

    private Contract(Map<String, Description> served) {
        this.served = served;
    }

    /**
     * Checks what Triton serves.
     *
     * @param served the served models by name
     * @throws FailureException MODEL_CONTRACT_VIOLATED: the metadata tells the first violation, the message all
     */
    static Checked check(Map<String, Description> served) {
        return new Contract(served).check();
    }

    private Checked check() {
        Map<String, Signature> signatures = new HashMap<>();
        for (ModelRule rule : RULES) {
            Description description = served.get(rule.model);
            if (description != null) {
                signatures.put(rule.model, signature(rule, description));
            } else if (rule.required) {
                violations.add(new Violation(rule.model, "name", "to be served", "no such model"));
            }
        }
        checkSizes();
        if (!violations.isEmpty()) {
            throw Violation.toFailure(violations);
        }
        return new Checked(sizes(), Map.copyOf(signatures));
    }

    private Signature signature(ModelRule rule, Description description) {
        int maxBatchSize = description.config().getMaxBatchSize();
        if (maxBatchSize < rule.minBatchSize) {
            violate(rule, "max_batch_size", "at least " + rule.minBatchSize, String.valueOf(maxBatchSize));
        }
        List<TensorMetadata> inputs = description.metadata().getInputsList();
        List<TensorSpec> inputSpecs = specs(rule, rule.inputs, inputs);
        for (TensorMetadata input : inputs) {
            if (rule.inputs.stream().noneMatch(known -> known.name.equals(input.getName()))) {
                violate(rule, input.getName(), "no such input", describe(input));
            }
        }
        List<TensorSpec> outputSpecs =
                specs(rule, rule.outputs, description.metadata().getOutputsList());
        checkBatch(rule, "inputs", inputSpecs, maxBatchSize);
        checkBatch(rule, "outputs", outputSpecs, maxBatchSize);
        Map<String, String> parameters = new TreeMap<>();
        description.config().getParametersMap().forEach((key, value) -> parameters.put(key, text(value)));
        for (ParameterRule parameter : rule.parameters) {
            String value = parameters.get(parameter.key);
            if (value == null || !parameter.holds.test(value)) {
                violate(rule, "parameters." + parameter.key, parameter.meaning, value == null ? "none" : value);
            }
        }
        return new Signature(
                rule.model, version(rule, description), maxBatchSize, inputSpecs, outputSpecs, Map.copyOf(parameters));
    }

    private String version(ModelRule rule, Description description) {
        List<String> versions = description.metadata().getVersionsList();
        if (versions.isEmpty() || !versions.stream().allMatch(Contract::isCount)) {
            violate(rule, "versions", "whole numbers from 1", versions.toString());
            return "";
        }
        return versions.stream().max(Comparator.comparingInt(Integer::parseInt)).orElseThrow();
    }

    /** The specs of all tensors that keep their rules. */
    private List<TensorSpec> specs(ModelRule model, List<TensorRule> rules, List<TensorMetadata> tensors) {
        List<TensorSpec> specs = new ArrayList<>();
        for (TensorRule rule : rules) {
            Optional<TensorMetadata> tensor = tensors.stream()
                    .filter(candidate -> candidate.getName().equals(rule.name))
                    .findFirst();
            if (tensor.isEmpty()) {
                violate(model, rule.name, expected(rule), "no such tensor");
            } else {
                spec(model, rule, tensor.get()).ifPresent(specs::add);
            }
        }
        return List.copyOf(specs);
    }

    private Optional<TensorSpec> spec(ModelRule model, TensorRule rule, TensorMetadata tensor) {
        Optional<DataType> type = rule.types.stream()
                .filter(known -> known.name().equals(tensor.getDatatype()))
                .findFirst();
        List<Long> shape = tensor.getShapeList();
        // The first size is the batch axis, -1.
        boolean fits = type.isPresent() && shape.size() == rule.sizes.size() + 1 && shape.get(0) == -1;
        for (int i = 0; fits && i < rule.sizes.size(); i++) {
            fits = unify(rule.sizes.get(i), shape.get(i + 1), model.model + "." + rule.name);
        }
        if (!fits) {
            violate(model, rule.name, expected(rule), describe(tensor));
            return Optional.empty();
        }
        int[] sizes = shape.stream().skip(1).mapToInt(Math::toIntExact).toArray();
        return type.map(known -> new TensorSpec(rule.name, known, sizes));
    }

    private void checkBatch(ModelRule model, String side, List<TensorSpec> tensors, int maxBatchSize) {
        double bytes = 0; // approximate where it matters least, and without overflow
        for (TensorSpec tensor : tensors) {
            double rowBytes = tensor.type().size();
            for (int size : tensor.shape()) {
                rowBytes *= size;
            }
            bytes += rowBytes * maxBatchSize;
        }
        if (bytes > MAX_BATCH_BYTES) {
            violate(
                    model,
                    side,
                    "a batch of at most " + MAX_BATCH_BYTES + " bytes",
                    String.format(Locale.ROOT, "%.0f", bytes));
        }
    }

    /** Whether a size is what it must be; gives a letter its number where it has none. */
    private boolean unify(String symbol, long size, String source) {
        if (size < 1 || size > Integer.MAX_VALUE) {
            return false; // -1: a size that varies from call to call
        }
        if (Character.isDigit(symbol.charAt(0))) {
            return size == Integer.parseInt(symbol);
        }
        Binding bound = bindings.computeIfAbsent(symbol, unbound -> new Binding((int) size, source));
        return bound.size == size;
    }

    private void checkSizes() {
        Binding faces = bindings.get("K");
        if (faces != null && faces.size < MIN_FACES) {
            violations.add(
                    new Violation(FACE_DETECTOR, "boxes", "K of at least " + MIN_FACES, String.valueOf(faces.size)));
        }
        checkMultiple("H", "h");
        checkMultiple("W", "w");
    }

    private void checkMultiple(String pixels, String latents) {
        Binding picture = bindings.get(pixels);
        Binding latent = bindings.get(latents);
        if (picture != null && latent != null && picture.size % latent.size != 0) {
            violations.add(new Violation(
                    VAE_DECODER,
                    "image",
                    pixels + " to be a multiple of " + latents + " = " + latent.size,
                    String.valueOf(picture.size)));
        }
    }

    private Sizes sizes() {
        return new Sizes(
                size("S"), size("K"), size("D"), size("T"), size("C"), size("h"), size("w"), size("W"), size("H"));
    }

    private int size(String symbol) {
        return requireNonNull(bindings.get(symbol), symbol).size;
    }

    private void violate(ModelRule model, String tensor, String expected, String actual) {
        violations.add(new Violation(model.model, tensor, expected, actual));
    }

    /** As in {@code FP32 or FP16 [-1,T=4 (as encoder.context),C]}. */
    private String expected(TensorRule rule) {
        String types = rule.types.stream().map(DataType::name).sorted().collect(joining(" or "));
        String sizes = rule.sizes.stream().map(this::expected).collect(joining(","));
        return types + " [-1," + sizes + "]";
    }

    private String expected(String symbol) {
        Binding bound = bindings.get(symbol);
        return bound == null ? symbol : symbol + "=" + bound.size + " (as " + bound.source + ")";
    }

    private static String describe(TensorMetadata tensor) {
        return tensor.getDatatype() + " "
                + tensor.getShapeList().stream().map(String::valueOf).collect(joining(",", "[", "]"));
    }

    private static String text(ModelParameter parameter) {
        return parameter.getStringValue();
    }

    private static boolean isProbability(String text) {
        double value = number(text);
        return value >= 0 && value <= 1;
    }

    private static boolean isGuidance(String text) {
        double value = number(text);
        return value >= 1 && value <= Float.MAX_VALUE;
    }

    private static boolean isCount(String text) {
        return text.matches("[1-9][0-9]{0,8}");
    }

    /** NaN where the text is no number. */
    static double number(String text) {
        try {
            return Double.parseDouble(text);
        } catch (NumberFormatException notANumber) {
            return Double.NaN;
        }
    }

    private static boolean isJsonObject(String text) {
        try {
            return JsonParser.parseString(text).isJsonObject();
        } catch (JsonParseException notJson) {
            return false;
        }
    }

    private static boolean isLatentRgbFactors(String text) {
        if (!isJsonObject(text)) {
            return false;
        }
        JsonObject object = JsonParser.parseString(text).getAsJsonObject();
        return object.get("factors") instanceof JsonArray factors
                && factors.size() == Sizes.LATENT_CHANNELS
                && factors.asList().stream().allMatch(Contract::isColour)
                && isColour(object.get("bias"));
    }

    private static boolean isColour(@Nullable JsonElement element) {
        return element instanceof JsonArray channels
                && channels.size() == 3
                && channels.asList().stream()
                        .allMatch(channel -> channel instanceof JsonPrimitive number && number.isNumber());
    }
}
