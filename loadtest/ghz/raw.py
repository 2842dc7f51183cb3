"""Triton without a gateway, as ghz calls it: its service's description, and a denoising step as one message."""

from pathlib import Path

import grpc
import numpy as np
from google.protobuf import descriptor_pb2
from tritonclient.grpc import model_config_pb2, service_pb2, service_pb2_grpc
from tritonclient.utils import triton_to_np_dtype


def write_protoset(path: Path) -> Path:
    """Triton's service as ghz reads it."""
    files = descriptor_pb2.FileDescriptorSet()
    for module in (model_config_pb2, service_pb2):
        module.DESCRIPTOR.CopyToProto(files.file.add())
    path.write_bytes(files.SerializeToString())
    return path


def write_request(target: str, rows: int, path: Path, model: str = "unet") -> Path:
    """A step of `rows` rows as the gateway sends it: random latents and contexts, one timestep."""
    random = np.random.default_rng(0)
    with grpc.insecure_channel(target) as channel:
        triton = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        metadata = triton.ModelMetadata(service_pb2.ModelMetadataRequest(name=model))
    scalars = {"timestep": 500.0, "guidance": 3.0}
    request = service_pb2.ModelInferRequest(model_name=model, model_version="1")
    for tensor in metadata.inputs:
        shape = [rows, *tensor.shape[1:]]
        request.inputs.add(name=tensor.name, datatype=tensor.datatype, shape=shape)
        scalar = scalars.get(tensor.name)
        values = random.standard_normal(shape) if scalar is None else np.full(shape, scalar)
        request.raw_input_contents.append(values.astype(triton_to_np_dtype(tensor.datatype)).tobytes())
    request.outputs.add(name="prediction")
    path.write_bytes(request.SerializeToString())
    return path
