package dev.arc2face.gateway.triton;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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
        if (values.length != length(shape)) {
            throw new IllegalArgumentException(
                    values.length + " values are not " + type + " " + Arrays.toString(shape));
        }
        return new Floats(type, shape).put(values, 0, values.length, 1, 1).tensor();
    }

    /**
     * A tensor of floats that is written piece by piece, straight into the form that goes over the wire. Its bytes are
     * its own, so that a call may be sent again from them at any time later.
     */
    public static final class Floats {
        private final DataType type;
        private final int[] shape;
        private final byte[] bytes;
        private final ByteBuffer buffer;

        /**
         * @param type FP32, or FP16: rounded to nearest, ties to even
         * @param shape with the batch axis
         */
        public Floats(DataType type, int[] shape) {
            if (type != DataType.FP32 && type != DataType.FP16) {
                throw new IllegalArgumentException(type + " holds no floats");
            }
            this.type = type;
            this.shape = shape;
            this.bytes = new byte[Math.toIntExact(Math.multiplyExact(length(shape), type.size()))];
            this.buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        }

        /**
         * Adds {@code count} of the values, each multiplied by {@code factor}, and all of them {@code times} times.
         *
         * @return this
         */
        public Floats put(float[] values, int offset, int count, float factor, int times) {
            int start = buffer.position();
            int size = count * type.size();
            if (type == DataType.FP16) {
                for (int i = offset; i < offset + count; i++) {
                    buffer.putShort(Float16.fromFloat(factor * values[i]));
                }
            } else if (factor == 1) {
                buffer.asFloatBuffer().put(values, offset, count);
            } else {
                for (int i = offset; i < offset + count; i++) {
                    buffer.putFloat(factor * values[i]);
                }
            }
            for (int copy = 1; copy < times; copy++) {
                System.arraycopy(bytes, start, bytes, start + copy * size, size);
            }
            buffer.position(start + times * size);
            return this;
        }

        /** The tensor, whole: nothing more can be put. */
        public Tensor tensor() {
            if (buffer.hasRemaining()) {
                throw new IllegalStateException(buffer.remaining() + " bytes of " + bytes.length + " are missing");
            }
            return new Tensor(type, shape, UnsafeByteOperations.unsafeWrap(bytes));
        }
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

    /** The same with so many rows: the first ones, or the last one again and again after them all. */
    Tensor withRows(int count) {
        int[] resized = shape.clone();
        resized[0] = count;
        int rowBytes = raw.size() / rows();
        ByteString bytes = raw.substring(0, Math.min(count, rows()) * rowBytes);
        ByteString last = raw.substring(raw.size() - rowBytes);
        for (int row = rows(); row < count; row++) {
            bytes = bytes.concat(last);
        }
        return new Tensor(type, resized, bytes);
    }

    /** The size of the batch axis. */
    public int rows() {
        return shape[0];
    }

    /** The elements of a tensor of type FP32 or FP16, in row-major order. */
    public float[] toFloats() {
        float[] values = new float[raw.size() / type.size()];
        readFloats(values, 0);
        return values;
    }

    /** Copies the elements of a tensor of type FP32 or FP16, in row-major order, to {@code into} from there on. */
    public void readFloats(float[] into, int offset) {
        ByteBuffer buffer = raw.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        int count = raw.size() / type.size();
        switch (type) {
            case FP32 -> buffer.asFloatBuffer().get(into, offset, count);
            case FP16 -> {
                for (int i = 0; i < count; i++) {
                    into[offset + i] = Float16.toFloat(buffer.getShort(2 * i));
                }
            }
            case UINT8, INT64 -> throw new IllegalStateException(type + " holds no floats");
        }
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
