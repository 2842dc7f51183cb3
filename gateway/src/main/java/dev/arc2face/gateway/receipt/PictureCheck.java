package dev.arc2face.gateway.receipt;

import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.image.PhotoDecoder;
import dev.arc2face.gateway.image.Pixels;
import dev.arc2face.gateway.provenance.PictureMark;
import dev.arc2face.gateway.provenance.Sha256;
import dev.arc2face.gateway.provenance.XmpPacket;
import dev.arc2face.v1.ImageFormat;
import dev.arc2face.v1.PictureReceipt;
import dev.arc2face.v1.Receipt;
import java.security.PublicKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Tells whether a picture is the one that a receipt is of, and whether the receipt is what its gateway wrote. */
public final class PictureCheck {
    private static final PhotoDecoder DECODER = new PhotoDecoder(1 << 26, 1 << 26);

    /** What a finding comes to. */
    public enum Verdict {
        /** It is so. */
        HOLDS,
        /** Nobody can tell with what is here. */
        UNKNOWN,
        /** It is not so: picture or receipt were changed, or do not belong together. */
        BROKEN
    }

    /** One thing that was looked at. */
    public record Finding(Verdict verdict, String sentence) {
        private static Finding of(boolean holds, String so, String otherwise) {
            return new Finding(holds ? Verdict.HOLDS : Verdict.BROKEN, holds ? so : otherwise);
        }
    }

    private PictureCheck() {}

    /**
     * Looks at all of it.
     *
     * @param key of the gateway that the receipt should come from
     */
    public static List<Finding> check(byte[] file, Receipt receipt, Optional<PublicKey> key) {
        List<Finding> findings = new ArrayList<>();
        findings.add(whole(receipt));
        findings.add(signature(receipt, key));
        String hash = Sha256.of(file);
        PictureMark mark = PictureMark.in(file);
        Optional<PictureReceipt> same = receipt.getPicturesList().stream()
                .filter(picture -> picture.getSha256().equals(hash))
                .findFirst();
        if (same.isPresent()) {
            findings.addAll(ofSameFile(same.get(), file, mark, receipt));
        } else {
            findings.add(new Finding(Verdict.BROKEN, ofAnotherFile(file, mark, receipt)));
        }
        return findings;
    }

    /** Whether the receipt is one whole: its id is the hash of the rest. */
    public static Finding whole(Receipt receipt) {
        return Finding.of(
                CanonicalReceipt.id(receipt).equals(receipt.getReceiptId()),
                "the receipt is whole",
                "the receipt was changed: its id is not the hash of the rest");
    }

    /** Whether it is signed with this key. */
    public static Finding signature(Receipt receipt, Optional<PublicKey> key) {
        if (!receipt.hasSignature()) {
            return new Finding(
                    key.isPresent() ? Verdict.BROKEN : Verdict.UNKNOWN,
                    "the receipt is not signed: anybody may have written it");
        }
        if (key.isEmpty()) {
            String named = receipt.getSignature().getKeyId(); // by whoever wrote it
            String signer = PublicKeys.isId(named) ? "key " + named : "a key of no valid name";
            return new Finding(Verdict.UNKNOWN, "the receipt says that " + signer + " signed it; not checked");
        }
        return Finding.of(
                ReceiptSignatures.isValid(receipt, key.get()),
                "the receipt is signed with key " + PublicKeys.id(key.get()),
                "the receipt is not signed with key " + PublicKeys.id(key.get()) + ", or was changed afterwards");
    }

    private static List<Finding> ofSameFile(PictureReceipt picture, byte[] file, PictureMark mark, Receipt receipt) {
        List<Finding> findings = new ArrayList<>();
        findings.add(new Finding(Verdict.HOLDS, "the file is that of " + name(picture)));
        findings.add(Finding.of(
                mark.digitalSourceType().equals(Optional.of(XmpPacket.TRAINED_ALGORITHMIC_MEDIA))
                        && mark.pictureId().equals(Optional.of(picture.getPictureId())),
                "it is marked as made by a model, with the id of the receipt",
                "it is not marked as the receipt says"));
        findings.add(Finding.of(
                CanonicalReceipt.pictureId(receipt, picture).equals(picture.getPictureId()),
                "its id is that of what the receipt says it came from",
                "its id is not that of what the receipt says it came from"));
        if (receipt.getRequest().getOutputFormat() != ImageFormat.IMAGE_FORMAT_JPEG) {
            findings.add(Finding.of(
                    pixelsSha256(file).equals(Optional.of(picture.getPixelsSha256())),
                    "its pixels are those of the receipt",
                    "its pixels are not those of the receipt"));
        }
        return findings;
    }

    private static String ofAnotherFile(byte[] file, PictureMark mark, Receipt receipt) {
        Optional<String> pixels = pixelsSha256(file);
        for (PictureReceipt picture : receipt.getPicturesList()) {
            if (pixels.equals(Optional.of(picture.getPixelsSha256()))) {
                return "the file is not that of " + name(picture)
                        + ", but its pixels are the same: it was written anew, or its metadata changed";
            }
        }
        for (PictureReceipt picture : receipt.getPicturesList()) {
            if (mark.pictureId().equals(Optional.of(picture.getPictureId()))) {
                return "the file says that it is " + name(picture) + ", but was changed";
            }
        }
        return "the file is none of the receipt's pictures";
    }

    private static Optional<String> pixelsSha256(byte[] file) {
        try {
            Pixels pixels = DECODER.decode(file);
            return Optional.of(Sha256.of(pixels.rgb()));
        } catch (FailureException noPicture) {
            return Optional.empty();
        }
    }

    private static String name(PictureReceipt picture) {
        return "picture " + picture.getImageIndex() + ", seed " + Integer.toUnsignedString(picture.getSeed());
    }
}
