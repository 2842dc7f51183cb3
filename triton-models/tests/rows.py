"""The promise that a row's bits do not depend on the batch around it."""

from pathlib import Path

import numpy as np
import onnxruntime


def check_rows_alone_and_together(folder: Path, rows: np.ndarray, largest: int, threads: int) -> None:
    """Compares each of `rows` [N,...] alone, on one thread, with itself in batches of 1 to `largest`.

    `folder` is that of a model with one input.
    """
    single, together = session(folder), session(folder, threads)
    [name] = (value.name for value in single.get_inputs())
    alone = [single.run(None, {name: row[None]}) for row in rows]
    for size in range(1, largest + 1):
        for start in range(0, len(rows) - size + 1, size):
            outputs = together.run(None, {name: rows[start : start + size]})
            for i in range(size):
                for output, expected in zip(outputs, alone[start + i], strict=True):
                    assert output[i].tobytes() == expected[0].tobytes(), (
                        f"row {start + i} in a batch of {size}"
                    )


def session(folder: Path, threads: int = 1) -> onnxruntime.InferenceSession:
    """A model of a repository, run by ONNX Runtime without Triton."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(
        folder / "1" / "model.onnx", options, providers=["CPUExecutionProvider"]
    )
