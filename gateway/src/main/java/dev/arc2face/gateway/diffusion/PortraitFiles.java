package dev.arc2face.gateway.diffusion;

import dev.arc2face.gateway.image.ImageFormat;
import dev.arc2face.gateway.image.PictureEncoder;
import dev.arc2face.gateway.image.Pixels;
import dev.arc2face.gateway.provenance.Network;
import dev.arc2face.gateway.provenance.Origin;
import dev.arc2face.gateway.provenance.PictureFile;
import dev.arc2face.gateway.provenance.Sha256;
import dev.arc2face.gateway.provenance.XmpPacket;
import dev.arc2face.gateway.triton.Model;
import dev.arc2face.gateway.triton.ServedModels;

/** Makes the files of pictures, each marked as what it is. The same pixels from the same models give the same bytes. */
final class PortraitFiles {
    private static final int PREVIEW_QUALITY = 75;

    private final ServedModels models;

    PortraitFiles(ServedModels models) {
        this.models = models;
    }

    PictureFile ofPortrait(Pixels picture, GenerationOptions options) {
        Origin origin = origin(options.variant());
        ImageFormat format = options.format();
        int quality = options.jpegQuality();
        String pixels = Sha256.of(picture.rgb());
        String id = origin.pictureId(pixels, picture.width(), picture.height(), format, quality);
        byte[] file = PictureEncoder.encode(picture, format, quality, XmpPacket.of(origin, id));
        return new PictureFile(file, id, Sha256.of(file), pixels);
    }

    /** A JPEG. */
    byte[] ofPreview(Pixels picture) {
        return PictureEncoder.encode(picture, ImageFormat.JPEG, PREVIEW_QUALITY, XmpPacket.ofPictureWithoutId());
    }

    private Origin origin(Variant variant) {
        return Origin.of(
                models.profile(),
                variant.id(),
                models.all().stream()
                        .filter(model -> variant.mayAsk(model, models))
                        .map(PortraitFiles::network));
    }

    private static Network network(Model model) {
        return new Network(
                model.name(), model.version(), model.parameter("model_sha256").orElse(""));
    }
}
