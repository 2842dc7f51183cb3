package dev.arc2face.gateway.triton;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ShortBuffer;
import java.util.Arrays;

/**
 * A batch of values on its way to or from a model.
 *
 * @param type element type
 * @param shape with the batch axis: {@code [B, ...]}; never changed
 * @param raw the elements in row-major order, little endian
 */
public record Tensor(DataType type, int[] shape, ByteString raw) {
    public Tensor {
        if (length(shape) * type.size() != raw.size()) {
            throw new IllegalArgumentException(raw.size() + " bytes are not " + type + " " + Arrays.toString(shape));
        }
    }

    /**
     * A tensor of floats.
     *
     * @param type FP32, or FP16: rounded to nearest, ties to even
     * @param shape with the batch axis
     * @param values in row-major order, copied
     */
    public static Tensor ofFloats(DataType type, int[] shape, float[] values) {
        byte[] bytes = new byte[Math.multiplyExact(values.length, type.size())];
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        switch (type) {
            case FP32 -> buffer.asFloatBuffer().put(values);
            case FP16 -> {
                ShortBuffer halves = buffer.asShortBuffer();
                for (float value : values) {
                    halves.put(Float16.fromFloat(value));
                }
            }
            case UINT8, INT64 -> throw new IllegalArgumentException(type + " holds no floats");
        }
        return new Tensor(type, shape, UnsafeByteOperations.unsafeWrap(bytes));
    }

    /**
     * A tensor of type UINT8.
     *
     * @param shape with the batch axis
     * @param values in row-major order; owned by the tensor from now on, not copied
     */
    public static Tensor ofBytes(int[] shape, byte[] values) {
        return new Tensor(DataType.UINT8, shape, UnsafeByteOperations.unsafeWrap(values));
    }

    /** The size of the batch axis. */
    public int rows() {
        return shape[0];
    }

    /** The elements of a tensor of type FP32 or FP16, in row-major order. */
    public float[] toFloats() {
        ByteBuffer buffer = raw.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        float[] values = new float[raw.size() / type.size()];
        switch (type) {
            case FP32 -> buffer.asFloatBuffer().get(values);
            case FP16 -> {
                ShortBuffer halves = buffer.asShortBuffer();
                for (int i = 0; i < values.length; i++) {
                    values[i] = Float16.toFloat(halves.get(i));
                }
            }
            case UINT8, INT64 -> throw new IllegalStateException(type + " holds no floats");
        }
        return values;
    }

    /** The elements of a tensor of type UINT8, in row-major order. */
    public byte[] toBytes() {
        if (type != DataType.UINT8) {
            throw new IllegalStateException(type + " holds no bytes");
        }
        return raw.toByteArray();
    }

    private static long length(int[] shape) {
        if (shape.length == 0 || Arrays.stream(shape).anyMatch(size -> size < 1)) {
            throw new IllegalArgumentException("no batch, or a size below 1: " + Arrays.toString(shape));
        }
        return Arrays.stream(shape).mapToLong(size -> size).reduce(1, Math::multiplyExact);
    }
}
