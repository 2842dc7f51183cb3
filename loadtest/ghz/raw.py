"""Triton without a gateway: `ModelInfer` on the UNet by ghz, the upper bound of steps per second."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np
from google.protobuf import descriptor_pb2
from tritonclient.grpc import model_config_pb2, service_pb2, service_pb2_grpc

BYTES = {"FP32": np.float32, "FP16": np.float16}


@dataclass(frozen=True)
class Raw:
    """What one run of ghz measured."""

    steps_per_second: float
    cpu_seconds_per_step: float  # of ghz itself
    p50_ms: float
    p95_ms: float


def write_protoset(path: Path) -> Path:
    """Triton's service as ghz reads it."""
    files = descriptor_pb2.FileDescriptorSet()
    for module in (model_config_pb2, service_pb2):
        module.DESCRIPTOR.CopyToProto(files.file.add())
    path.write_bytes(files.SerializeToString())
    return path


def write_request(target: str, rows: int, path: Path) -> Path:
    """A step of `rows` rows as the gateway sends it: random latents and contexts, one timestep."""
    random = np.random.default_rng(0)
    with grpc.insecure_channel(target) as channel:
        triton = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        metadata = triton.ModelMetadata(service_pb2.ModelMetadataRequest(name="unet"))
    request = service_pb2.ModelInferRequest(model_name="unet", model_version="1")
    for tensor in metadata.inputs:
        shape = [rows, *tensor.shape[1:]]
        request.inputs.add(name=tensor.name, datatype=tensor.datatype, shape=shape)
        values = np.full(shape, 500.0) if tensor.name == "timestep" else random.standard_normal(shape)
        request.raw_input_contents.append(values.astype(BYTES[tensor.datatype]).tobytes())
    request.outputs.add(name="prediction")
    path.write_bytes(request.SerializeToString())
    return path


def measure(ghz: Path, target: str, protoset: Path, request: Path, callers: int, seconds: float) -> Raw:
    """Closed loop: every caller sends its next step when its last one is answered; one connection, as the gateway."""
    command = [
        *(str(ghz), "--insecure", "--protoset", str(protoset), "--format", "json"),
        *("--call", "inference.GRPCInferenceService.ModelInfer", "--binary-file", str(request)),
        *("--concurrency", str(callers), "--connections", "1", "--duration", f"{seconds}s"),
        *("--duration-stop", "wait", target),
    ]
    # A shell of its own tells the CPU time of ghz and of nothing else.
    timed = subprocess.run(
        ["bash", "-c", 'TIMEFORMAT="%U %S"; time "$@"', "ghz", *command],
        check=True,
        capture_output=True,
        text=True,
    )
    report = json.loads(timed.stdout)
    if report["statusCodeDistribution"].keys() != {"OK"}:
        raise RuntimeError(
            f"raw Triton: {report['statusCodeDistribution']} {report.get('errorDistribution')}"
        )
    user, system = map(float, timed.stderr.split()[-2:])
    latency = {entry["percentage"]: entry["latency"] / 1e6 for entry in report["latencyDistribution"]}
    return Raw(report["rps"], (user + system) / report["count"], latency[50], latency[95])
