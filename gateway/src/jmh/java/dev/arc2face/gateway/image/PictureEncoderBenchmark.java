package dev.arc2face.gateway.image;

import dev.arc2face.gateway.OperationBenchmark;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** One operation: encode one picture of 512x512 pixels; JPEG in the default quality. */
public class PictureEncoderBenchmark extends OperationBenchmark {
    @Param
    private ImageFormat format;

    private final Pixels picture = SyntheticPicture.draw(512, 512);

    @Benchmark
    public byte[] encode() {
        return PictureEncoder.encode(picture, format, 92);
    }
}
