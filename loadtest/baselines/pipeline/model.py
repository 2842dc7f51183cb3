"""The whole pipeline as one model of Triton's Python backend: an embedding in, a PNG out.

A request is one portrait. Those that Triton's batcher hands over together go through the denoising loop together
where they have equally many steps; groups of other steps come after them, in the order of their first requests.
"""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

# Triton's interpreter is isolated: it ignores PYTHONPATH and knows no virtual environment.
sys.path.insert(0, os.environ["ARC2FACE_SITE_PACKAGES"])

import triton_python_backend_utils as pb_utils
from onnxruntime_backend import HandedOver, np  # our backend, which knows how Triton takes arrays

FINAL = pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL
MOST_STEPS = 100


class TritonPythonModel:
    """The class name and its methods are Triton's interface."""

    def initialize(self, args: dict[str, str]) -> None:
        parameters = json.loads(args["model_config"])["parameters"]
        sys.path.insert(1, parameters["code"]["string_value"])
        from loadtest.baselines import portraits

        self.encode = portraits.png
        threads = int(os.environ.get("ARC2FACE_INTRA_OP_THREADS", 0))
        self.portraits = portraits.Portraits(Path(parameters["source"]["string_value"]), threads)
        self.encoders = ThreadPoolExecutor(len(os.sched_getaffinity(0)))

    def execute(self, requests: list[Any]) -> None:
        groups: dict[tuple[int, bool], list[Request]] = {}
        for request in map(Request, requests):
            if problem := request.problem():
                request.fail(problem)
            else:
                groups.setdefault((request.steps, request.guidance == 1), []).append(request)
        for group in groups.values():
            try:
                self.draw(group)
            except Exception as error:  # ONNX Runtime's exceptions have no common base class
                for request in group:
                    if not request.is_drawn:
                        request.fail(str(error))

    def draw(self, group: list["Request"]) -> None:
        """Requests of equal steps, all of them guided or none."""
        embeddings = np.concatenate([request.embedding for request in group])  # [N,D]
        seeds = [request.seed for request in group]
        guidance = [request.guidance for request in group]
        latents = self.portraits.start(seeds)  # [N,4,h,w]
        for _ in self.portraits.denoise(latents, embeddings, group[0].steps, guidance):
            pass
        for request, picture in zip(group, self.portraits.decode(latents), strict=True):
            request.is_drawn = True
            self.encoders.submit(request.answer, self.encode, picture)

    def finalize(self) -> None:
        self.encoders.shutdown()


class Request:
    """What a caller asks for, and the way to answer."""

    def __init__(self, request: Any) -> None:
        self.request = request
        self.sender = request.get_response_sender()
        self.embedding = self.input("id_embedding")  # [1,D]
        self.steps = int(self.input("steps").flat[0])
        self.seed = int(self.input("seed").flat[0])
        self.guidance = float(self.input("guidance").flat[0])
        self.is_drawn = False  # and answered by another thread

    def input(self, name: str) -> np.ndarray:
        return np.from_dlpack(pb_utils.get_input_tensor_by_name(self.request, name))

    def problem(self) -> str:
        """Why it cannot be served; empty where it can."""
        if self.request.is_cancelled():
            return "cancelled by the caller"
        if len(self.embedding) != 1:
            return "a request is one portrait"
        if not 1 <= self.steps <= MOST_STEPS:
            return f"{self.steps} steps"
        if not (np.isfinite(self.embedding).all() and self.embedding.any()):
            return "the embedding is zero or not finite"
        return ""

    def answer(self, encode: Any, picture: np.ndarray) -> None:
        try:
            encoded = np.frombuffer(bytearray(encode(picture)), np.uint8)[np.newaxis]  # [1,bytes]
            image = pb_utils.Tensor.from_dlpack("image", HandedOver(encoded))
            self.send(pb_utils.InferenceResponse(output_tensors=[image]))
        except Exception as error:  # nobody looks at the future: the caller would wait for ever
            self.fail(str(error))

    def fail(self, reason: str) -> None:
        self.send(pb_utils.InferenceResponse(error=pb_utils.TritonError(reason)))

    def send(self, response: Any) -> None:
        self.sender.send(response, flags=FINAL)
