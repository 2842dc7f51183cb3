package dev.arc2face.gateway.triton;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import org.junit.jupiter.api.Test;

class TensorTest {
    private static final int[] SHAPE = {2, 1, 3};
    private static final float[] VALUES = {0, -1.5f, 65504, 0x1p-24f, Float.NEGATIVE_INFINITY, 1};

    @Test
    void floatsSurviveAsFp32() {
        Tensor tensor = Tensor.ofFloats(DataType.FP32, SHAPE, VALUES);

        assertThat(tensor.raw().size()).isEqualTo(24);
        assertThat(tensor.rows()).isEqualTo(2);
        assertThat(tensor.toFloats()).containsExactly(VALUES);
    }

    @Test
    void whatFitsSurvivesAsFp16AndTheRestIsRounded() {
        assertThat(Tensor.ofFloats(DataType.FP16, SHAPE, VALUES).toFloats()).containsExactly(VALUES);
        assertThat(Tensor.ofFloats(DataType.FP16, new int[] {1}, new float[] {0.1f})
                        .toFloats())
                .containsExactly(0x1.998p-4f);
    }

    @Test
    void bytesAreLittleEndian() {
        assertThat(Tensor.ofFloats(DataType.FP32, new int[] {1}, new float[] {1})
                        .raw())
                .isEqualTo(bytes(0, 0, 0x80, 0x3f));
        assertThat(Tensor.ofFloats(DataType.FP16, new int[] {1}, new float[] {1})
                        .raw())
                .isEqualTo(bytes(0, 0x3c));
    }

    @Test
    void bytesAreTakenAsTheyAre() {
        byte[] pixels = {0, 127, -128, -1};
        Tensor tensor = Tensor.ofBytes(new int[] {1, 4}, pixels);

        assertThat(tensor.type()).isEqualTo(DataType.UINT8);
        assertThat(tensor.toBytes()).containsExactly(pixels);
    }

    @Test
    void shapeAndValuesMustAgree() {
        assertThatThrownBy(() -> Tensor.ofFloats(DataType.FP32, new int[] {2, 2}, VALUES))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("6 values are not FP32 [2, 2]");
        assertThatThrownBy(() -> Tensor.ofBytes(new int[] {}, new byte[1]))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Tensor.ofBytes(new int[] {0, 3}, new byte[0]))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void typesAreNotMixedUp() {
        assertThatThrownBy(() -> Tensor.ofFloats(DataType.UINT8, new int[] {1}, new float[] {1}))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Tensor.ofFloats(DataType.FP32, new int[] {1}, new float[] {1})
                        .toBytes())
                .isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> Tensor.ofBytes(new int[] {1}, new byte[1]).toFloats())
                .isInstanceOf(IllegalStateException.class);
    }

    private static ByteString bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return ByteString.copyFrom(bytes);
    }
}
