package dev.arc2face.gateway.image;

/** The decoded samples of a picture as it is stored: not yet upright, in the file's own colours. */
interface Samples {
    /** 1 (grey), 3 (RGB) or 4 (CMYK, 255 is full ink). */
    int channels();

    /**
     * Reads one row.
     *
     * @param colours where the colours go, [width,channels]
     * @param alpha where the opacities go, [width]; it is left alone where the picture has none
     */
    void readRow(int y, byte[] colours, byte[] alpha);
}
