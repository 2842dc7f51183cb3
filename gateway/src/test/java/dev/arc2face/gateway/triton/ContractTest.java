package dev.arc2face.gateway.triton;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.inference.ModelConfig;
import dev.arc2face.inference.ModelMetadataResponse;
import dev.arc2face.inference.ModelMetadataResponse.TensorMetadata;
import dev.arc2face.inference.ModelParameter;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ContractTest {
    private static final String SCHEDULER = "{\"prediction_type\": \"epsilon\", \"lambda_min_clipped\": -Infinity}";
    private static final String FACTORS =
            "{\"factors\": [[1, 2, 3], [4, 5, 6], [0.7, 8, 9], [-1, 0, 1]], \"bias\": [0.5, 0.5, 0.5]}";

    private final Map<String, Served> served = new HashMap<>(Map.of(
            "face_detector",
            new Served(4)
                    .in("image", "UINT8", 640, 640, 3)
                    .out("boxes", "FP32", 64, 4)
                    .out("scores", "FP32", 64)
                    .out("landmarks", "FP32", 64, 5, 2)
                    .parameter("score_threshold", "0.5"),
            "arcface",
            new Served(1)
                    .in("face", "UINT8", 112, 112, 3)
                    .out("embedding", "FP32", 512)
                    .parameter("recogniser_id", "r100"),
            "encoder",
            new Served(8)
                    .in("id_embedding", "FP32", 512)
                    .out("context", "FP16", 77, 768)
                    .out("negative_context", "FP16", 77, 768),
            "unet",
            unet(),
            "vae_decoder",
            new Served(8)
                    .in("latents", "FP32", 4, 64, 48)
                    .out("image", "UINT8", 512, 384, 3)
                    .parameter("latent_rgb_factors", FACTORS)));

    @Test
    void sizesAreReadFromTheMetadata() {
        Contract.Checked checked = check();

        assertThat(checked.sizes()).isEqualTo(new Sizes(640, 64, 512, 77, 768, 64, 48, 384, 512));
        Signature unet = checked.signature("unet");
        assertThat(unet.maxBatchSize()).isEqualTo(16);
        assertThat(unet.inputs())
                .extracting(TensorSpec::toString)
                .containsExactly("latents: FP16 [4, 64, 48]", "timestep: FP32 [1]", "context: FP16 [77, 768]");
        assertThat(unet.outputs()).extracting(TensorSpec::toString).containsExactly("prediction: FP32 [4, 64, 48]");
        assertThat(unet.parameters()).containsEntry("default_steps", "25");
        // 8 rows of 512 * 384 * 3 bytes
        assertThat(checked.signature("vae_decoder").largestAnswer()).isEqualTo(4_718_592);
        // 16 rows of 4 * 64 * 48 and 77 * 768 halves and a float
        assertThat(unet.largestRequest()).isEqualTo(16 * (2 * (4 * 64 * 48 + 77 * 768) + 4));
    }

    @Test
    void furtherModelsParametersAndOutputsAreAllowed() {
        served.put("upscaler", new Served(1));
        served("unet").out("features", "FP64", -1).parameter("profile", "arc2face");

        assertThat(check().signature("unet").outputs()).hasSize(1);
    }

    @Test
    void secondUnetIsOptionalAndHasTheSizesOfTheFirst() {
        assertThat(check().optionalSignature("unet_lcm")).isEmpty();

        served.put("unet_lcm", unet().parameter("default_scheduler", "lcm"));
        assertThat(check().signature("unet_lcm").parameters()).containsEntry("default_scheduler", "lcm");

        served("unet_lcm").in("context", "FP16", 77, 1024);
        assertThat(violation("unet_lcm", "context"))
                .isEqualTo("expected FP16 or FP32 [-1,T=77 (as encoder.context),C=768 (as encoder.context)],"
                        + " found FP16 [-1,77,1024]");
    }

    @Test
    void unetWithGuidanceInsideIsOptionalAndTakesOneRowAPicture() {
        assertThat(check().optionalSignature("unet_guided")).isEmpty();

        served.put("unet_guided", unet());
        assertThat(violation("unet_guided", "guidance")).isEqualTo("expected FP32 [-1,1], found no such tensor");

        served.put("unet_guided", unet().in("guidance", "FP32", 1));
        assertThat(check().signature("unet_guided").inputs()).hasSize(4);
    }

    @Test
    void secondUnetIsHeldToTheContractOfTheFirst() {
        served.put("unet_lcm", unet().parameter("default_steps", "few"));

        assertThat(violation("unet_lcm", "parameters.default_steps"))
                .isEqualTo("expected a whole number from 1, found few");
    }

    @Test
    void highestServedVersionIsTheOneThatIsCalled() {
        served("unet").versions = List.of("9", "10", "1");

        assertThat(check().signature("unet").version()).isEqualTo("10");
    }

    @Test
    void versionsMustBeNumbers() {
        served("unet").versions = List.of();
        assertThat(violation("unet", "versions")).isEqualTo("expected whole numbers from 1, found []");

        served("unet").versions = List.of("1", "latest");
        assertThat(violation("unet", "versions")).isEqualTo("expected whole numbers from 1, found [1, latest]");
    }

    @Test
    void missingModelIsNamed() {
        served.remove("arcface");

        assertThat(violation("arcface", "name")).isEqualTo("expected to be served, found no such model");
    }

    @Test
    void furtherInputIsRefused() {
        served("unet").in("guidance", "FP32", 1);

        assertThat(violation("unet", "guidance")).isEqualTo("expected no such input, found FP32 [-1,1]");
    }

    @Test
    void missingTensorIsNamed() {
        served("face_detector").outputs.remove("landmarks");

        assertThat(violation("face_detector", "landmarks"))
                .isEqualTo("expected FP32 [-1,K=64 (as face_detector.boxes),5,2], found no such tensor");
    }

    @Test
    void timestepWithoutBatchAxisIsRefused() {
        served("unet").inputs.put("timestep", tensor("timestep", "FP32", 1));

        assertThat(violation("unet", "timestep")).isEqualTo("expected FP32 [-1,1], found FP32 [1]");
    }

    @Test
    void timestepIsNeverFp16() {
        served("unet").in("timestep", "FP16", 1);

        assertThat(violation("unet", "timestep")).isEqualTo("expected FP32 [-1,1], found FP16 [-1,1]");
    }

    @Test
    void unknownTypeIsRefused() {
        served("unet").in("latents", "BF16", 4, 64, 48);

        assertThat(violation("unet", "latents")).isEqualTo("expected FP16 or FP32 [-1,4,h,w], found BF16 [-1,4,64,48]");
    }

    @Test
    void sizeThatVariesIsRefused() {
        served("vae_decoder").out("image", "UINT8", -1, -1, 3);

        assertThat(violation("vae_decoder", "image")).isEqualTo("expected UINT8 [-1,H,W,3], found UINT8 [-1,-1,-1,3]");
    }

    @Test
    void detectorSeesASquare() {
        served("face_detector").in("image", "UINT8", 640, 480, 3);

        assertThat(violation("face_detector", "image"))
                .isEqualTo("expected UINT8 [-1,S=640 (as face_detector.image),S=640 (as face_detector.image),3],"
                        + " found UINT8 [-1,640,480,3]");
    }

    @Test
    void sizesAgreeBetweenModels() {
        served("encoder").in("id_embedding", "FP32", 256);

        assertThat(violation("encoder", "id_embedding"))
                .isEqualTo("expected FP32 [-1,D=512 (as arcface.embedding)], found FP32 [-1,256]");
    }

    @Test
    void unetTakesBothRowsOfAPicture() {
        served("unet").maxBatchSize = 1;

        assertThat(violation("unet", "max_batch_size")).isEqualTo("expected at least 2, found 1");
    }

    @Test
    void detectorListIsLongEnough() {
        served("face_detector")
                .out("boxes", "FP32", 63, 4)
                .out("scores", "FP32", 63)
                .out("landmarks", "FP32", 63, 5, 2);

        assertThat(violation("face_detector", "boxes")).isEqualTo("expected K of at least 64, found 63");
    }

    @Test
    void imageIsAMultipleOfTheLatents() {
        served("vae_decoder").out("image", "UINT8", 512, 400, 3);

        assertThat(violation("vae_decoder", "image")).isEqualTo("expected W to be a multiple of w = 48, found 400");
    }

    @Test
    void batchFitsIntoAMessage() {
        served("vae_decoder").out("image", "UINT8", 1 << 20, 48 << 10, 3);

        assertThat(violation("vae_decoder", "outputs"))
                .isEqualTo("expected a batch of at most 2147483647 bytes, found 1236950581248");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "arcface|recogniser_id|` `",
                "face_detector|score_threshold|high",
                "face_detector|score_threshold|1.5",
                "face_detector|score_threshold|NaN",
                "unet|scheduler_config|{",
                "unet|scheduler_config|[]",
                "unet|default_steps|0",
                "unet|default_steps|2.5",
                "unet|default_guidance|0.5",
                "unet|default_guidance|Infinity",
                "unet|default_guidance|1e39",
                "vae_decoder|latent_rgb_factors|{}",
                "vae_decoder|latent_rgb_factors|{\"factors\": [[1, 2, 3]], \"bias\": [0, 0, 0]}",
                "vae_decoder|latent_rgb_factors|nothing",
            })
    void parameterOutsideItsMeaningIsNamed(String model, String key, String value) {
        served(model).parameter(key, value);

        assertThat(violation(model, "parameters." + key))
                .startsWith("expected a ")
                .endsWith(", found " + value);
    }

    @Test
    void missingParameterIsNamed() {
        served("unet").parameters.remove("default_steps");

        assertThat(violation("unet", "parameters.default_steps"))
                .isEqualTo("expected a whole number from 1, found none");
    }

    @Test
    void allViolationsAreToldAtOnce() {
        served("arcface").parameters.clear();
        served("unet").in("timestep", "FP16", 1);
        served.remove("vae_decoder");

        FailureException failure = catchThrowableOfType(FailureException.class, this::check);

        assertThat(failure.message().split("; ", -1))
                .containsExactly(
                        "model 'arcface', 'parameters.recogniser_id': expected a name, found none",
                        "model 'unet', 'timestep': expected FP32 [-1,1], found FP16 [-1,1]",
                        "model 'vae_decoder', 'name': expected to be served, found no such model");
        assertThat(failure.metadata()).containsEntry("model", "arcface");
    }

    private static Served unet() {
        return new Served(16)
                .in("latents", "FP16", 4, 64, 48)
                .in("timestep", "FP32", 1)
                .in("context", "FP16", 77, 768)
                .out("prediction", "FP32", 4, 64, 48)
                .parameter("scheduler_config", SCHEDULER)
                .parameter("default_steps", "25")
                .parameter("default_guidance", "3.0");
    }

    private Contract.Checked check() {
        Map<String, Description> descriptions = new HashMap<>();
        served.forEach((name, model) -> descriptions.put(name, model.description(name)));
        return Contract.check(descriptions);
    }

    private Served served(String model) {
        return served.get(model);
    }

    /** The rest of the message of the only violation, which is of this tensor. */
    private String violation(String model, String tensor) {
        FailureException failure = catchThrowableOfType(FailureException.class, this::check);
        assertThat(failure.reason()).isEqualTo(ErrorReason.MODEL_CONTRACT_VIOLATED);
        assertThat(failure.metadata()).containsEntry("model", model).containsEntry("tensor", tensor);
        String start = "model '" + model + "', '" + tensor + "': ";
        assertThat(failure.message()).startsWith(start).doesNotContain("; ");
        return failure.message().substring(start.length());
    }

    private static TensorMetadata tensor(String name, String type, long... shape) {
        return TensorMetadata.newBuilder()
                .setName(name)
                .setDatatype(type)
                .addAllShape(Arrays.stream(shape).boxed().toList())
                .build();
    }

    /** Metadata and configuration of one model, to be changed. */
    private static final class Served {
        private final Map<String, TensorMetadata> inputs = new HashMap<>();
        private final Map<String, TensorMetadata> outputs = new HashMap<>();
        private final Map<String, String> parameters = new HashMap<>();
        private List<String> versions = List.of("1");
        private int maxBatchSize;

        Served(int maxBatchSize) {
            this.maxBatchSize = maxBatchSize;
        }

        Served in(String name, String type, long... row) {
            inputs.put(name, tensor(name, type, batch(row)));
            return this;
        }

        Served out(String name, String type, long... row) {
            outputs.put(name, tensor(name, type, batch(row)));
            return this;
        }

        Served parameter(String key, String value) {
            parameters.put(key, value);
            return this;
        }

        Description description(String name) {
            ModelConfig.Builder config = ModelConfig.newBuilder().setName(name).setMaxBatchSize(maxBatchSize);
            parameters.forEach((key, value) -> config.putParameters(
                    key, ModelParameter.newBuilder().setStringValue(value).build()));
            return new Description(
                    ModelMetadataResponse.newBuilder()
                            .setName(name)
                            .addAllVersions(versions)
                            .addAllInputs(inputs.values())
                            .addAllOutputs(outputs.values())
                            .build(),
                    config.build());
        }

        private static long[] batch(long[] row) {
            long[] shape = new long[row.length + 1];
            shape[0] = -1;
            System.arraycopy(row, 0, shape, 1, row.length);
            return shape;
        }
    }
}
