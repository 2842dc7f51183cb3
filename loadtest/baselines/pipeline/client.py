"""Calls the pipeline by Triton's own API."""

import grpc
import numpy as np
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import triton_to_np_dtype

from loadtest.baselines.pipeline import NAME

TYPES = {"id_embedding": "FP32", "steps": "INT32", "seed": "UINT32", "guidance": "FP32"}
SECONDS = 600


class Client:
    """A context manager; any number of threads may call."""

    def __init__(self, target: str) -> None:
        self.channel = grpc.insecure_channel(target)
        self.triton = service_pb2_grpc.GRPCInferenceServiceStub(self.channel)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.channel.close()

    def draw(self, embedding: np.ndarray, steps: int, seed: int, guidance: float) -> bytes:
        """The portrait of an embedding [D], as a PNG."""
        values = {"id_embedding": embedding, "steps": [steps], "seed": [seed], "guidance": [guidance]}
        request = service_pb2.ModelInferRequest(model_name=NAME)
        for name, value in values.items():
            array = np.asarray(value, triton_to_np_dtype(TYPES[name]))[np.newaxis]
            request.inputs.add(name=name, datatype=TYPES[name], shape=array.shape)
            request.raw_input_contents.append(array.tobytes())
        return self.triton.ModelInfer(request, timeout=SECONDS).raw_output_contents[0]

    def batches(self) -> tuple[int, int]:
        """Requests answered so far, and the batches that they were in."""
        answer = self.triton.ModelStatistics(service_pb2.ModelStatisticsRequest(name=NAME))
        (stats,) = answer.model_stats
        return stats.inference_count, stats.execution_count
