package dev.arc2face.gateway.receipt;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.arc2face.gateway.provenance.Network;
import dev.arc2face.gateway.provenance.Origin;
import dev.arc2face.gateway.provenance.Sha256;
import dev.arc2face.v1.Accepted;
import dev.arc2face.v1.PictureReceipt;
import dev.arc2face.v1.Receipt;
import dev.arc2face.v1.ServedModel;
import java.io.ByteArrayOutputStream;

/** What a receipt's id and signature, and the ids of its pictures, are made of. */
public final class CanonicalReceipt {
    private static final byte[] DOMAIN = "arc2face receipt 1\n".getBytes(UTF_8);

    private CanonicalReceipt() {}

    /**
     * The bytes that are hashed and signed: a line that says what they are, and the receipt without id and signature as
     * protobuf writes it, fields in the order of their numbers, defaults left out. It has no map, whose order is not fixed.
     */
    public static byte[] bytes(Receipt receipt) {
        byte[] message =
                receipt.toBuilder().clearReceiptId().clearSignature().build().toByteArray();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(DOMAIN.length + message.length);
        bytes.writeBytes(DOMAIN);
        bytes.writeBytes(message);
        return bytes.toByteArray();
    }

    /** The id that the receipt should have. */
    public static String id(Receipt receipt) {
        return Sha256.of(bytes(receipt));
    }

    /** The id that one of its pictures should have. */
    static String pictureId(Receipt receipt, PictureReceipt picture) {
        Accepted request = receipt.getRequest();
        return origin(receipt)
                .pictureId(
                        picture.getPixelsSha256(),
                        picture.getWidth(),
                        picture.getHeight(),
                        OutputFormat.of(request.getOutputFormat()),
                        request.getJpegQuality());
    }

    private static Origin origin(Receipt receipt) {
        return Origin.of(
                receipt.getProfile(),
                receipt.getRequest().getVariant(),
                receipt.getModelsList().stream().map(CanonicalReceipt::network));
    }

    private static Network network(ServedModel model) {
        return new Network(model.getName(), model.getVersion(), model.getSha256());
    }
}
