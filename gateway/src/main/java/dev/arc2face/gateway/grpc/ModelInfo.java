package dev.arc2face.gateway.grpc;

import dev.arc2face.gateway.config.GenerationConfig;
import dev.arc2face.gateway.config.LimitsConfig;
import dev.arc2face.gateway.diffusion.SchedulerKind;
import dev.arc2face.gateway.diffusion.Variant;
import dev.arc2face.gateway.image.PhotoDecoder;
import dev.arc2face.gateway.triton.Model;
import dev.arc2face.gateway.triton.ServedModels;
import dev.arc2face.v1.Defaults;
import dev.arc2face.v1.GetModelInfoResponse;
import dev.arc2face.v1.ImageFormat;
import dev.arc2face.v1.Limits;
import dev.arc2face.v1.SchedulerInfo;
import dev.arc2face.v1.ServedModel;
import dev.arc2face.v1.VariantInfo;
import java.util.ArrayList;
import java.util.List;

/** Says what is served: what the models say of themselves, and this deployment's limits and defaults. */
final class ModelInfo {
    private final LimitsConfig limits;
    private final GenerationConfig defaults;
    private final Requests requests;
    private final Receipts receipts;
    private final String gatewayVersion;

    ModelInfo(
            LimitsConfig limits,
            GenerationConfig defaults,
            Requests requests,
            Receipts receipts,
            String gatewayVersion) {
        this.limits = limits;
        this.defaults = defaults;
        this.requests = requests;
        this.receipts = receipts;
        this.gatewayVersion = gatewayVersion;
    }

    GetModelInfoResponse of(Pipeline pipeline) {
        ServedModels models = pipeline.models();
        List<Model> all = models.all();
        String profile = models.profile();
        GetModelInfoResponse.Builder info = GetModelInfoResponse.newBuilder()
                .setProfile(profile)
                .setImageWidth(models.sizes().imageWidth())
                .setImageHeight(models.sizes().imageHeight())
                .setEmbeddingSize(models.sizes().embeddingSize())
                .setRecogniserId(pipeline.recogniser().id())
                .setSamePersonThreshold((float) pipeline.recogniser().samePersonThreshold())
                .setLimits(limits())
                .setDefaults(defaults(pipeline.variants().base()))
                .setModelServer(models.serverName() + " " + models.serverVersion())
                .setGatewayVersion(gatewayVersion)
                .addAllLicenceNotes(licenceNotes(profile, all))
                .addAllReceiptKeys(receipts.publicKeys());
        for (SchedulerKind kind : SchedulerKind.values()) {
            info.addSchedulers(SchedulerInfo.newBuilder().setId(kind.id()).setDiffusersClass(kind.diffusersClass()));
        }
        pipeline.variants().served().forEach(variant -> info.addVariants(info(variant)));
        all.forEach(model -> info.addModels(served(model)));
        return info.build();
    }

    static ServedModel served(Model model) {
        return ServedModel.newBuilder()
                .setName(model.name())
                .setVersion(model.version())
                .setSha256(model.parameter("model_sha256").orElse(""))
                .setLicence(model.parameter("licence").orElse(""))
                .setMaxBatchSize(model.maxBatchSize())
                .setEngine(model.parameter("engine").orElse(""))
                .setInstructionSet(model.parameter("instruction_set").orElse(""))
                .build();
    }

    private Limits limits() {
        return Limits.newBuilder()
                .setMaxPhotoBytes((int) limits.maxPhotoBytes().asLongValue())
                .setMaxPhotoPixels(limits.maxPhotoPixels())
                .setMaxIdentityPixels(PhotoDecoder.LARGEST_OF_AN_IDENTITY * limits.maxPhotoPixels())
                .setMaxImages(limits.maxImages())
                .setMaxSteps(limits.maxSteps())
                .setMaxAttempts(limits.maxAttempts())
                .setMinFacePixels(limits.minFacePixels())
                .setMaxEventBytes((int) limits.maxEventBytes().asLongValue())
                .setMaxRunning(limits.maxRunning())
                .setMaxQueued(limits.maxQueued())
                .build();
    }

    private VariantInfo info(Variant variant) {
        return VariantInfo.newBuilder()
                .setId(variant.id())
                .setModel(variant.model())
                .setDefaultSteps(variant.defaultSteps())
                .setDefaultGuidanceScale(variant.defaultGuidanceScale())
                .setDefaultScheduler(requests.defaultScheduler(variant).id())
                .build();
    }

    private Defaults defaults(Variant variant) {
        return Defaults.newBuilder()
                .setVariant(variant.id())
                .setSteps(variant.defaultSteps())
                .setGuidanceScale(variant.defaultGuidanceScale())
                .setScheduler(requests.defaultScheduler(variant).id())
                .setPreviewEvery(defaults.previewEvery())
                .setOutputFormat(ImageFormat.IMAGE_FORMAT_PNG)
                .setJpegQuality(defaults.jpegQuality())
                .build();
    }

    private static List<String> licenceNotes(String profile, List<Model> models) {
        List<String> notes = new ArrayList<>();
        if (profile.equals("mini")) {
            notes.add("The mini profile is for development and tests, not for production.");
            notes.add(
                    "Its encoder, unet and vae_decoder were trained on faces drawn by a generator that was trained on "
                            + "DigiFace-1M, which Microsoft released for non-commercial research.");
        }
        for (Model model : models) {
            model.parameter("licence").ifPresent(licence -> notes.add(model.name() + ": " + licence));
        }
        return notes;
    }
}
