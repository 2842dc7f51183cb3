package dev.arc2face.gateway.triton;

import java.util.Arrays;

/**
 * What a model's metadata says about one of its tensors.
 *
 * @param name the tensor's name
 * @param type element type
 * @param shape without the batch axis; every size is at least 1; never changed
 */
public record TensorSpec(String name, DataType type, int[] shape) {
    public TensorSpec {
        if (Arrays.stream(shape).anyMatch(size -> size < 1)) {
            throw new IllegalArgumentException(name + " has a size below 1: " + Arrays.toString(shape));
        }
    }

    /** Elements of one row. */
    public int rowLength() {
        return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }

    /** Bytes of one row. */
    public int rowBytes() {
        return Math.multiplyExact(rowLength(), type.size());
    }

    /** The shape of a batch: {@code [rows, shape...]}. */
    public int[] batchShape(int rows) {
        int[] batch = new int[shape.length + 1];
        batch[0] = rows;
        System.arraycopy(shape, 0, batch, 1, shape.length);
        return batch;
    }

    @Override
    public String toString() {
        return name + ": " + type + " " + Arrays.toString(shape);
    }
}
