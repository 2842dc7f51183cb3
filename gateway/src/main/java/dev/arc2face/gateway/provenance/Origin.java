package dev.arc2face.gateway.provenance;

import dev.arc2face.gateway.image.ImageFormat;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * The models that a portrait comes from.
 *
 * @param profile {@code mini} or {@code arc2face}
 * @param variant of the request
 * @param networks that draw, in the order of the data
 */
public record Origin(String profile, String variant, List<Network> networks) {
    private static final String DOMAIN = "arc2face picture 1";

    public Origin {
        networks = List.copyOf(networks);
    }

    /**
     * That of a portrait that was made with these networks.
     *
     * @param used in the order of the data; those that only judge faces are left out, and so is another form of one
     */
    public static Origin of(String profile, String variant, Stream<Network> used) {
        return new Origin(
                profile,
                variant,
                used.filter(network -> Network.draws(network.name())).toList());
    }

    /**
     * The id of a picture from here, 64 digits of hex. It depends on the pixels, what drew them and how they are encoded,
     * and on nothing else: not on a key, a time, the other pictures of a request, or which of several requests that come
     * to the same pixels it was. So every gateway gives the picture the same one. Of the photo and the embedding nothing is
     * in it but what the pixels show.
     *
     * @param pixelsSha256 lower-case hex
     * @param jpegQuality without meaning for other formats
     */
    public String pictureId(String pixelsSha256, int width, int height, ImageFormat format, int jpegQuality) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream output = new DataOutputStream(bytes)) { // numbers of 4 bytes, big endian
            write(DOMAIN, output);
            write(pixelsSha256, output);
            output.writeInt(width);
            output.writeInt(height);
            write(format.name().toLowerCase(Locale.ROOT), output);
            output.writeInt(format == ImageFormat.JPEG ? jpegQuality : 0);
            write(profile, output);
            write(variant, output);
            output.writeInt(networks.size());
            for (Network network : networks) {
                write(network.name(), output);
                write(network.version(), output);
                write(network.sha256(), output);
            }
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return Sha256.of(bytes.toByteArray());
    }

    /** With its length before it, so that no two lists of texts are the same bytes. */
    private static void write(String text, DataOutputStream output) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        output.writeInt(bytes.length);
        output.write(bytes);
    }
}
