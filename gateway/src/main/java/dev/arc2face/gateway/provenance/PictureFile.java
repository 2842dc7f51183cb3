package dev.arc2face.gateway.provenance;

/**
 * A portrait's file, with its provenance inside.
 *
 * @param bytes encoded
 * @param pictureId the id that it carries
 * @param sha256 of the bytes, lower-case hex
 * @param pixelsSha256 of the pixels before they were encoded, lower-case hex
 */
public record PictureFile(byte[] bytes, String pictureId, String sha256, String pixelsSha256) {}
