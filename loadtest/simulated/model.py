"""Any model of the simulated repository, for Triton's Python backend: answers at the time when a GPU would have.

A batch occupies the GPU, the one that all models of a Triton share, for `fixed_seconds + seconds_per_row * rows`, and
gives, row by row, what needs no computing: the prediction is the latents themselves; every other output is a constant
that stays where it is.
"""

import fcntl
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Triton's interpreter is isolated: it ignores PYTHONPATH and knows no virtual environment.
sys.path.insert(0, os.environ["ARC2FACE_SITE_PACKAGES"])

import triton_python_backend_utils as pb_utils
from onnxruntime_backend import HandedOver, np  # our backend, which knows how Triton takes arrays


class TritonPythonModel:
    """The class name and its methods are Triton's interface."""

    def initialize(self, args: dict[str, str]) -> None:
        config = json.loads(args["model_config"])
        parameters = {key: value["string_value"] for key, value in config["parameters"].items()}
        self.fixed = float(parameters["fixed_seconds"])
        self.per_row = float(parameters["seconds_per_row"])
        self.input = config["input"][0]["name"]
        model = Path(args["model_repository"])
        self.gpu = Gpu(model.parent)
        folder = model / args["model_version"]
        self.constants = {
            output["name"]: Constant(folder / f"{output['name']}.bin", output)
            for output in config["output"]
            if output["name"] != "prediction"
        }

    def execute(self, requests: list[Any]) -> list[Any]:
        rows = [pb_utils.get_input_tensor_by_name(request, self.input).shape()[0] for request in requests]
        with self.gpu.busy_for(self.fixed + self.per_row * sum(rows)):
            return [self.answer(request, count) for request, count in zip(requests, rows, strict=True)]

    def answer(self, request: Any, rows: int) -> Any:
        outputs = [constant.tensor(rows) for constant in self.constants.values()]
        if not outputs:
            latents = pb_utils.get_input_tensor_by_name(request, "latents")
            outputs = [pb_utils.Tensor.from_dlpack("prediction", latents.to_dlpack())]
        return pb_utils.InferenceResponse(output_tensors=outputs)


class Gpu:
    """One for all models of a Triton, which are processes of their own: its lock is on the folder that holds them."""

    def __init__(self, models: Path) -> None:
        self.lock = os.open(models, os.O_RDONLY)

    @contextmanager
    def busy_for(self, seconds: float) -> Iterator[None]:
        """Waits until the GPU is free, and keeps it for so long; what is done inside is done meanwhile."""
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        try:
            end = time.monotonic() + seconds
            yield
            time.sleep(max(0.0, end - time.monotonic()))
        finally:
            fcntl.flock(self.lock, fcntl.LOCK_UN)


class Constant:
    """An output whose every row is the content of a file."""

    def __init__(self, path: Path, output: dict[str, Any]) -> None:
        self.name = output["name"]
        row = np.frombuffer(path.read_bytes(), pb_utils.triton_string_to_numpy(output["data_type"]))
        self.row = row.reshape(1, *(int(size) for size in output["dims"]))

    def tensor(self, rows: int) -> Any:
        return pb_utils.Tensor.from_dlpack(self.name, HandedOver(self.row.repeat(rows, axis=0)))
