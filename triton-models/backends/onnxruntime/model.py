"""Triton's backend `onnxruntime`, Python-based: one run of the ONNX graph for all requests of a batch.

Every model whose configuration says `backend: "onnxruntime"` is served by this file, in a process of its own.
Where Triton brings its native backend of that name (NVIDIA's container), that one answers instead.

Properties:

- the requests that Triton's batcher hands over together become one run of the graph, [B,...] in and out;
- every request gets its own rows, in its own order, and only the outputs that it asked for;
- a request that is cancelled or fails takes no other request with it;
- a model is refused at load if its files are not the ones that its configuration names, or has other tensors.
"""

import ctypes
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

# Triton's interpreter is isolated: it ignores PYTHONPATH and knows no virtual environment.
sys.path.insert(0, os.environ["ARC2FACE_SITE_PACKAGES"])

import numpy as np
import onnxruntime as ort
import triton_python_backend_utils as pb_utils

# Types as Triton's configuration and as ONNX Runtime name them; numpy and DLPack carry each unchanged.
ONNX_TYPES = {
    "TYPE_UINT8": "tensor(uint8)",
    "TYPE_INT8": "tensor(int8)",
    "TYPE_INT32": "tensor(int32)",
    "TYPE_INT64": "tensor(int64)",
    "TYPE_FP16": "tensor(float16)",
    "TYPE_FP32": "tensor(float)",
    "TYPE_FP64": "tensor(double)",
}


class TritonPythonModel:
    """One instance of one model; the class name and its methods are Triton's interface."""

    def initialize(self, args: dict[str, str]) -> None:
        config = json.loads(args["model_config"])
        version = Path(args["model_repository"]) / args["model_version"]
        graph = version / (config["default_model_filename"] or "model.onnx")

        check_hash(graph, config)
        self.session = ort.InferenceSession(
            str(graph), session_options(config), providers=["CPUExecutionProvider"]
        )
        check_signature(self.session, config)
        self.inputs = [tensor.name for tensor in self.session.get_inputs()]
        self.outputs = [tensor.name for tensor in self.session.get_outputs()]

    def execute(self, requests: list[Any]) -> list[Any]:
        responses = [cancelled() if request.is_cancelled() else None for request in requests]
        live = [index for index, response in enumerate(responses) if response is None]
        for index, response in zip(live, self.answer([requests[i] for i in live]), strict=True):
            responses[index] = response
        return responses

    def answer(self, requests: list[Any]) -> list[Any]:
        """Runs the requests as one batch; if that fails, each alone: one must not spoil the others."""
        if not requests:
            return []
        try:
            return self.run(requests)
        except Exception as error:  # ONNX Runtime's exceptions have no common base class
            if len(requests) == 1:
                return [failed(error)]
            return [response for request in requests for response in self.answer([request])]

    def run(self, requests: list[Any]) -> list[Any]:
        # DLPack in and out: Triton's interpreter was built for numpy 1 and misreads numpy 2's type objects.
        parts = [
            {name: np.from_dlpack(pb_utils.get_input_tensor_by_name(request, name)) for name in self.inputs}
            for request in requests
        ]
        feed = {name: join([part[name] for part in parts]) for name in self.inputs}  # each [B,...]
        results = dict(zip(self.outputs, self.session.run(None, feed), strict=True))  # each [B,...]

        rows = [len(part[self.inputs[0]]) for part in parts]
        for name, result in results.items():
            if len(result) != sum(rows):
                raise ValueError(f"output '{name}' has {len(result)} rows for {sum(rows)} rows of input")

        responses, start = [], 0
        for request, count in zip(requests, rows, strict=True):
            wanted = request.requested_output_names() or self.outputs
            tensors = [
                pb_utils.Tensor.from_dlpack(name, HandedOver(results[name][start : start + count]))
                for name in wanted
            ]
            responses.append(pb_utils.InferenceResponse(output_tensors=tensors))
            start += count
        return responses


class HandedOver:
    """An array whose memory Triton owns from now on, and frees.

    Triton takes the capsule and renames it, but not as DLPack says ("used_dltensor"): numpy's destructor would take
    it for one of its own and print a traceback for every tensor. So the capsule gets none.
    """

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __dlpack__(self, **options: Any) -> object:
        capsule = self.array.__dlpack__(**options)
        ctypes.pythonapi.PyCapsule_SetDestructor(ctypes.py_object(capsule), None)
        return capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.array.__dlpack_device__()


def join(parts: list[np.ndarray]) -> np.ndarray:
    """[b1,...], [b2,...], ... -> [b1+b2+...,...]; a request alone is not copied."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def cancelled() -> Any:
    return pb_utils.InferenceResponse(
        error=pb_utils.TritonError("cancelled by the caller", pb_utils.TritonError.CANCELLED)
    )


def failed(error: Exception) -> Any:
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(str(error), pb_utils.TritonError.INTERNAL))


def parameter(config: dict[str, Any], key: str) -> str | None:
    return config.get("parameters", {}).get(key, {}).get("string_value")


def session_options(config: dict[str, Any]) -> ort.SessionOptions:
    """Sequential and deterministic; neither threads nor memory change any bit of the result.

    `intra_op_thread_count` and `enable_mem_arena` are parameters of Triton's native backend, too. Without the arena a
    run takes longer, and nothing but the weights stays in memory after it.
    """
    threads = parameter(config, "intra_op_thread_count") or os.environ.get("ARC2FACE_INTRA_OP_THREADS")
    options = ort.SessionOptions()
    options.intra_op_num_threads = int(threads or len(os.sched_getaffinity(0)))
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.use_deterministic_compute = True
    options.enable_cpu_mem_arena = parameter(config, "enable_mem_arena") != "0"
    # An arena grows by doubling: weights in it take up to twice their size.
    options.add_session_config_entry("session.use_device_allocator_for_initializers", "1")
    # Threads that wait for the next run by spinning take the cores from the other models and from Triton itself.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.log_severity_level = 3
    return options


def check_hash(graph: Path, config: dict[str, Any]) -> None:
    expected = parameter(config, "model_sha256")
    if expected is None:
        raise refusal(config, "its config.pbtxt has no parameter model_sha256")
    files = [graph, *sorted(graph.parent.glob(f"{graph.name}.*"))]  # the graph and its external data
    actual = sha256(files)
    if actual != expected.lower():
        raise refusal(
            config,
            f"the sha256 of {' and '.join(f'{file.parent.name}/{file.name}' for file in files)} is {actual}, "
            f"its config.pbtxt says {expected}: a file is incomplete or was exchanged",
        )


def sha256(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def check_signature(session: ort.InferenceSession, config: dict[str, Any]) -> None:
    if config["max_batch_size"] < 1:
        raise refusal(config, "max_batch_size must be at least 1: every tensor has a batch axis")
    for kind, configured, actual in (
        ("input", config["input"], session.get_inputs()),
        ("output", config["output"], session.get_outputs()),
    ):
        tensors = {tensor.name: tensor for tensor in actual}
        names = sorted(tensor["name"] for tensor in configured)
        if names != sorted(tensors):
            raise refusal(config, f"config.pbtxt has the {kind}s {names}, the graph {sorted(tensors)}")
        for tensor in configured:
            check_tensor(config, f"{kind} '{tensor['name']}'", tensor, tensors[tensor["name"]])


def check_tensor(config: dict[str, Any], name: str, configured: dict[str, Any], actual: Any) -> None:
    if ONNX_TYPES.get(configured["data_type"]) != actual.type:
        raise refusal(
            config, f"{name} is {configured['data_type']} in config.pbtxt, {actual.type} in the graph"
        )
    batch, *sizes = actual.shape or [1]
    if isinstance(batch, int):
        raise refusal(config, f"{name} has no free batch axis in the graph, its shape is {actual.shape}")
    dims = [int(size) for size in configured["dims"]]
    # A size that the graph leaves open is a name (or None) there.
    if len(dims) != len(sizes) or any(
        isinstance(size, int) and size != dim for dim, size in zip(dims, sizes, strict=True)
    ):
        raise refusal(config, f"{name} has dims {dims} in config.pbtxt, shape {actual.shape} in the graph")


def refusal(config: dict[str, Any], reason: str) -> Exception:
    return pb_utils.TritonModelException(f"model '{config['name']}': {reason}")
