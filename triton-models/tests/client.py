"""What the tests ask of a Triton, in numpy arrays."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import astuple, dataclass

import numpy as np
import tritonclient.grpc as grpc
from tritonclient.utils import np_to_triton_dtype

from serving.triton import Listening

Tensors = Mapping[str, np.ndarray]

SECONDS = 60  # a request that takes longer has hung


@dataclass(frozen=True)
class Counts:
    """A model's statistics: requests answered, rows in them, runs of the graph."""

    requests: int
    rows: int
    runs: int

    def __sub__(self, before: "Counts") -> "Counts":
        return Counts(*(now - then for now, then in zip(astuple(self), astuple(before), strict=True)))


class Call:
    """A request under way."""

    def __init__(self, stub: grpc.InferenceServerClient, model: str, inputs: Tensors) -> None:
        self.future: Future[dict[str, np.ndarray]] = Future()
        self.context = stub.async_infer(model, as_inputs(inputs), self.done)

    def done(self, result: grpc.InferResult | None, error: Exception | None) -> None:
        if error is None:
            self.future.set_result(as_arrays(result))
        else:
            self.future.set_exception(error)

    def cancel(self) -> None:
        self.context.cancel()

    def result(self) -> dict[str, np.ndarray]:
        return self.future.result(SECONDS)

    def error(self) -> str:
        return str(self.future.exception(SECONDS))


class Client:
    """Calls models by name."""

    def __init__(self, listening: Listening) -> None:
        self.listening = listening
        self.stub = grpc.InferenceServerClient(f"{listening.host}:{listening.grpc}")

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.stub.close()

    def infer(self, model: str, inputs: Tensors, outputs: Sequence[str] | None = None) -> Tensors:
        requested = None if outputs is None else [grpc.InferRequestedOutput(name) for name in outputs]
        return as_arrays(self.stub.infer(model, as_inputs(inputs), outputs=requested, client_timeout=SECONDS))

    def start(self, model: str, inputs: Tensors) -> Call:
        return Call(self.stub, model, inputs)

    def counts(self, model: str) -> Counts:
        stats = self.stub.get_inference_statistics(model).model_stats[0]
        return Counts(stats.inference_stats.success.count, stats.inference_count, stats.execution_count)

    def counts_since(self, before: Counts, model: str, requests: int) -> Counts:
        """What happened since `before`, as soon as that many requests are counted: just after their answers."""
        deadline = time.monotonic() + SECONDS
        while (since := self.counts(model) - before).requests < requests and time.monotonic() < deadline:
            time.sleep(0.01)
        return since


def as_inputs(tensors: Tensors) -> list[grpc.InferInput]:
    inputs = []
    for name, array in tensors.items():
        tensor = grpc.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
        tensor.set_data_from_numpy(array)
        inputs.append(tensor)
    return inputs


def as_arrays(result: grpc.InferResult) -> dict[str, np.ndarray]:
    return {output.name: result.as_numpy(output.name) for output in result.get_response().outputs}
