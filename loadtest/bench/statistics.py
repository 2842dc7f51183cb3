"""What Triton counts about its models: rows, executions and the sizes of the batches that it made."""

from collections import Counter
from dataclasses import dataclass

import grpc
from tritonclient.grpc import service_pb2, service_pb2_grpc


@dataclass(frozen=True)
class Batches:
    """Executions of a model by their number of rows."""

    executions: Counter[int]

    @staticmethod
    def read(target: str, model: str) -> "Batches":
        """Since Triton's start. A batch may be counted a moment after it was answered."""
        with grpc.insecure_channel(target) as channel:
            triton = service_pb2_grpc.GRPCInferenceServiceStub(channel)
            answer = triton.ModelStatistics(service_pb2.ModelStatisticsRequest(name=model))
        (statistics,) = answer.model_stats
        return Batches(Counter({b.batch_size: b.compute_infer.count for b in statistics.batch_stats}))

    def since(self, earlier: "Batches") -> "Batches":
        return Batches(self.executions - earlier.executions)

    @property
    def rows(self) -> int:
        return sum(size * count for size, count in self.executions.items())

    @property
    def mean(self) -> float:
        """Rows of a batch, on average."""
        return self.rows / max(1, self.executions.total())

    def share_of_rows(self, least: int) -> float:
        """How many of the rows were in batches of at least so many."""
        in_large = sum(size * count for size, count in self.executions.items() if size >= least)
        return in_large / max(1, self.rows)
