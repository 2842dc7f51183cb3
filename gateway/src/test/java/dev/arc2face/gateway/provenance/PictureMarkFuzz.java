package dev.arc2face.gateway.provenance;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Any bytes are a picture with or without marks; none is an error, and none makes the reader leave the machine. */
public final class PictureMarkFuzz {
    private PictureMarkFuzz() {}

    public static void fuzzerTestOneInput(byte[] file) {
        PictureMark.in(file);
        PictureMark.in(asPacket(file)); // or hardly any input would ever come to the reader of the packet
    }

    private static byte[] asPacket(byte[] packet) {
        ByteBuffer webp = ByteBuffer.allocate(20 + packet.length).order(ByteOrder.LITTLE_ENDIAN);
        webp.put("RIFF".getBytes(StandardCharsets.US_ASCII)).putInt(12 + packet.length);
        webp.put("WEBPXMP ".getBytes(StandardCharsets.US_ASCII)).putInt(packet.length);
        return webp.put(packet).array();
    }
}
