package dev.arc2face.gateway.receipt;

import dev.arc2face.gateway.image.ImageFormat;
import dev.arc2face.gateway.image.PictureEncoder;
import dev.arc2face.gateway.image.Pixels;
import dev.arc2face.gateway.provenance.Network;
import dev.arc2face.gateway.provenance.Origin;
import dev.arc2face.gateway.provenance.Sha256;
import dev.arc2face.gateway.provenance.XmpPacket;
import dev.arc2face.v1.Accepted;
import dev.arc2face.v1.PictureReceipt;
import dev.arc2face.v1.Receipt;
import dev.arc2face.v1.ServedModel;
import java.util.List;
import java.util.Random;

/** A receipt of one picture, as a gateway writes them. */
final class OnePicture {
    static final Pixels PIXELS = noise();

    private OnePicture() {}

    private static Pixels noise() {
        byte[] rgb = new byte[20 * 10 * 3];
        new Random(5).nextBytes(rgb);
        return new Pixels(20, 10, rgb);
    }

    private static Origin origin() {
        return new Origin(
                "mini",
                "base",
                List.of(
                        new Network("encoder", "1", "e1"),
                        new Network("unet", "1", "a1"),
                        new Network("vae", "1", "")));
    }

    private static String id(ImageFormat format) {
        return origin().pictureId(Sha256.of(PIXELS.rgb()), 20, 10, format, 92);
    }

    static byte[] file(ImageFormat format) {
        return PictureEncoder.encode(PIXELS, format, 92, XmpPacket.of(origin(), id(format)));
    }

    static Receipt of(ImageFormat format) {
        Receipt.Builder receipt = Receipt.newBuilder()
                .setRequest(Accepted.newBuilder()
                        .setRequestId("mine")
                        .setVariant("base")
                        .setNumImages(1)
                        .setSteps(12)
                        .setGuidanceScale(1.5f)
                        .addSeeds(7)
                        .setJpegQuality(format == ImageFormat.JPEG ? 92 : 0)
                        .setOutputFormat(
                                switch (format) {
                                    case PNG -> dev.arc2face.v1.ImageFormat.IMAGE_FORMAT_PNG;
                                    case JPEG -> dev.arc2face.v1.ImageFormat.IMAGE_FORMAT_JPEG;
                                    case WEBP -> dev.arc2face.v1.ImageFormat.IMAGE_FORMAT_WEBP;
                                }))
                .setProfile("mini")
                .addModels(model("face_detector", "d1"))
                .addModels(model("encoder", "e1"))
                .addModels(model("unet", "a1"))
                .addModels(model("unet_guided", "b1"))
                .addModels(model("vae", ""))
                .addPictures(PictureReceipt.newBuilder()
                        .setSeed(7)
                        .setAttempts(1)
                        .setSimilarity(0.3f)
                        .setPictureId(id(format))
                        .setWidth(20)
                        .setHeight(10)
                        .setSha256(Sha256.of(file(format)))
                        .setPixelsSha256(Sha256.of(PIXELS.rgb())));
        return receipt.setReceiptId(CanonicalReceipt.id(receipt.build())).build();
    }

    private static ServedModel model(String name, String sha256) {
        return ServedModel.newBuilder()
                .setName(name)
                .setVersion("1")
                .setSha256(sha256)
                .build();
    }
}
