package dev.arc2face.gateway.provenance;

import dev.arc2face.gateway.image.EmbeddedXmp;
import java.util.Optional;

/**
 * What a picture's file says of where it comes from. Anybody may have written it there.
 *
 * @param digitalSourceType IPTC's, a URI
 * @param software that made it
 * @param models by name, version and hash
 * @param pictureId what its receipt calls it
 */
public record PictureMark(
        Optional<String> digitalSourceType,
        Optional<String> software,
        Optional<String> models,
        Optional<String> pictureId) {
    /** Reads what is in the file; what is not there, or damaged, is empty. */
    public static PictureMark in(byte[] file) {
        Optional<XmpProperties> xmp = EmbeddedXmp.find(file).map(XmpProperties::of);
        return new PictureMark(
                xmp.flatMap(properties -> properties.get(XmpPacket.IPTC_EXTENSION, "DigitalSourceType")),
                xmp.flatMap(properties -> properties.get(XmpPacket.XMP, "CreatorTool")),
                xmp.flatMap(properties -> properties.get(XmpPacket.IPTC_EXTENSION, "AISystemVersionUsed")),
                xmp.flatMap(properties -> properties.get(XmpPacket.IPTC_EXTENSION, "DigImageGUID")));
    }
}
