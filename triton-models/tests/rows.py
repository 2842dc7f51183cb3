"""The promise that a row's bits do not depend on the batch around it."""

import numpy as np
import onnxruntime

from evaluation.faces import MODELS


def check_rows_alone_and_together(
    model: str, name: str, rows: np.ndarray, largest: int, threads: int
) -> None:
    """Compares each of `rows` [N,...] alone, on one thread, with itself in batches of 1 to `largest`."""
    alone = [_session(model, 1).run(None, {name: row[None]}) for row in rows]
    together = _session(model, threads)
    for size in range(1, largest + 1):
        for start in range(0, len(rows) - size + 1, size):
            outputs = together.run(None, {name: rows[start : start + size]})
            for i in range(size):
                for output, expected in zip(outputs, alone[start + i], strict=True):
                    assert output[i].tobytes() == expected[0].tobytes(), (
                        f"row {start + i} in a batch of {size}"
                    )


def _session(model: str, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    path = MODELS / model / "1" / "model.onnx"
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
