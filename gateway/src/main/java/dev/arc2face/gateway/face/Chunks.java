package dev.arc2face.gateway.face;

import dev.arc2face.gateway.image.Pixels;
import dev.arc2face.gateway.triton.Tensor;
import dev.arc2face.gateway.triton.TensorSpec;
import java.util.ArrayList;
import java.util.List;

/** Pictures on their way into a model, no more at once than it takes. */
final class Chunks {
    private Chunks() {}

    static List<List<Pixels>> of(List<Pixels> pictures, int maxBatchSize) {
        List<List<Pixels>> chunks = new ArrayList<>();
        for (int start = 0; start < pictures.size(); start += maxBatchSize) {
            chunks.add(pictures.subList(start, Math.min(start + maxBatchSize, pictures.size())));
        }
        return chunks;
    }

    /** Pictures of the input's size, as {@code [B,h,w,3]}. */
    static Tensor tensor(TensorSpec input, List<Pixels> pictures) {
        byte[] rows = new byte[Math.multiplyExact(pictures.size(), input.rowBytes())];
        for (int row = 0; row < pictures.size(); row++) {
            System.arraycopy(pictures.get(row).rgb(), 0, rows, row * input.rowBytes(), input.rowBytes());
        }
        return Tensor.ofBytes(input.batchShape(pictures.size()), rows);
    }
}
