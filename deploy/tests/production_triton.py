"""Starts our Triton, on loopback, with the flags of a deployment; prints where it listens when it is ready.

Run by the Python that has Triton: python production_triton.py FLAG...
"""

import os
import sys
from pathlib import Path

from serving.supervision import first_to_end, stoppable
from serving.triton import Options, Triton

# What differs from place to place; everything else is the deployment's.
OWN = (
    "--id=",
    "--model-repository=",
    "--backend-directory=",
    "--backend-config=",
    "--grpc-port=",
    "--http-port=",
)
OWN = (*OWN, "--metrics-port=")


class ProductionTriton(Triton):
    """Triton with these flags."""

    def __init__(self, options: Options, flags: list[str]) -> None:
        super().__init__(options)
        self.flags = [flag.replace("0.0.0.0", "127.0.0.1") for flag in flags if not flag.startswith(OWN)]

    def command(self, models: Path, backends: Path, grpc: int, http: int, metrics: int) -> list[str]:
        binary, *flags = super().command(models, backends, grpc, http, metrics)
        return [binary, *(flag for flag in flags if flag.startswith(OWN)), *self.flags]


if __name__ == "__main__":
    with stoppable(), ProductionTriton(Options(), sys.argv[1:]) as triton:
        print(triton.listening.as_json(), flush=True)
        first_to_end([triton.child], os.getppid())
