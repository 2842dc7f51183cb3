package dev.arc2face.gateway.triton;

/** Element types of the contract's tensors, named as the inference protocol names them; all are little endian. */
public enum DataType {
    UINT8(1),
    INT64(8),
    FP16(2),
    FP32(4);

    private final int size;

    DataType(int size) {
        this.size = size;
    }

    /** Bytes of one element. */
    public int size() {
        return size;
    }
}
