"""Makes the seeds of `make fuzz`, beside photos/: python make.py HOST:PORT, of a Triton with the mini profile.

models/    the metadata and the configuration of a model, each with its length before it
requests/  the number of a request (RequestFuzz has them), then the message
settings/  scheduler_config and latent_rgb_factors of models
bodies/    the number of a request, odd for a form (BodyFuzz has them), then the body of HTTP
"""

import base64
import json
import struct
import sys
from pathlib import Path

import grpc
from tritonclient.grpc import service_pb2, service_pb2_grpc

FOLDER = Path(__file__).parent
PHOTOS = FOLDER.parent / "photos"
MODELS = ("face_detector", "arcface", "encoder", "unet", "vae_decoder")
SETTINGS = {
    "ddim": {
        "prediction_type": "epsilon",
        "num_train_timesteps": 1000,
        "beta_schedule": "scaled_linear",
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "timestep_spacing": "leading",
        "steps_offset": 1,
        "set_alpha_to_one": False,
        "clip_sample": True,
        "clip_sample_range": 1.5,
        "trained_betas": None,
    },
    "dpm": {
        "prediction_type": "v_prediction",
        "beta_schedule": "squaredcos_cap_v2",
        "algorithm_type": "dpmsolver++",
        "solver_order": 2,
        "solver_type": "midpoint",
        "lambda_min_clipped": -5.1,
        "timestep_spacing": "trailing",
        "rescale_betas_zero_snr": True,
        "lower_order_final": False,
        "_use_default_values": ["euler_at_final", "steps_offset"],
    },
    "euler": {
        "prediction_type": "sample",
        "use_karras_sigmas": True,
        "sigma_max": 14.6,
        "sigma_min": 0.03,
        "final_sigmas_type": "sigma_min",
        "interpolation_type": "linear",
    },
    "lcm": {"original_inference_steps": 50, "timestep_scaling": 10.0, "beta_schedule": "linear"},
    "preview": {"factors": [[0.3, 0.2, 0.2], [0, 0.1, -0.2], [1e3, 2, -1], [0, 0, 0]], "bias": [0.5, 0.5, 0.5]},
}


def varint(value: int) -> bytes:
    low = bytes([value & 0x7F | (0x80 if value > 0x7F else 0)])
    return low + varint(value >> 7) if value > 0x7F else low


def field(number: int, value: int | float | str | bytes) -> bytes:
    """A field of a protobuf message: varint, float, or what has a length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def delimited(message: bytes) -> bytes:
    return varint(len(message)) + message


def models(target: str) -> None:
    with grpc.insecure_channel(target) as channel:
        triton = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        for name in MODELS:
            metadata = triton.ModelMetadata(service_pb2.ModelMetadataRequest(name=name))
            config = triton.ModelConfig(service_pb2.ModelConfigRequest(name=name)).config
            described = delimited(metadata.SerializeToString()) + delimited(config.SerializeToString())
            (FOLDER / "models" / name).write_bytes(described)


def requests() -> None:
    photo = field(1, (PHOTOS / "lossless.webp").read_bytes())
    values = struct.pack("<256f", *((i * 37 % 101 - 50) / 50 for i in range(256)))
    embedding = field(3, field(1, values) + field(2, "mobileface-human-models-3.0.4"))
    options = (
        field(2, 4) + field(3, 20) + field(4, 3.0) + field(5, "euler") + field(6, 7) + field(7, 5) + field(8, 2)
    )
    more = field(9, 90) + field(10, "request-1") + field(11, "base") + field(12, 0.5) + field(13, 2) + field(14, 2)
    average = field(5, field(1, embedding) + field(1, embedding))
    between = field(6, field(1, average) + field(2, embedding) + field(3, struct.pack("<2f", 0, 0.5)))
    again = field(2, 2) + field(16, 0.5) + field(17, 3)
    seeds = {
        "generate": (0, field(1, embedding) + options + more),
        "generate-from-photo": (0, field(1, photo + field(4, 0)) + field(5, "lcm") + field(3, 50)),
        "generate-between": (0, field(1, between) + again),
        "embed-average": (1, field(1, field(5, field(1, photo) + field(1, embedding)))),
        "embed": (1, field(1, photo)),
        "embed-aligned": (1, field(1, field(2, field(1, bytes(12))))),
        "compare": (2, field(1, photo) + field(2, embedding)),
        "detect": (3, photo),
        "cancel": (4, field(1, "request-1")),
        "info": (5, b""),
    }
    for name, (kind, message) in seeds.items():
        (FOLDER / "requests" / name).write_bytes(bytes([kind]) + message)


def settings() -> None:
    for name, values in SETTINGS.items():
        (FOLDER / "settings" / name).write_text(json.dumps(values))


def bodies() -> None:
    photo = (PHOTOS / "lossless.webp").read_bytes()
    options = {
        "numImages": 2,
        "steps": "20",
        "guidanceScale": 2.5,
        "scheduler": "euler",
        "outputFormat": "IMAGE_FORMAT_JPEG",
        "requestId": "a-1",
        "afterSequence": "3",
        "reproducible": True,
        "seed": None,
    }
    embedding = {"embedding": {"values": [0.5, -1e-3, "NaN"], "recogniserId": "one"}}
    average = {"average": {"sources": [embedding, {"photo": base64.b64encode(photo).decode()}]}}
    between = {"interpolation": {"first": average, "second": embedding, "t": [0, 0.5]}}
    part = '--b\r\nContent-Disposition: form-data; name="{}"; filename="a"\r\n\r\n'
    form = b"".join(
        [
            part.format("request").encode() + json.dumps({"steps": 3}).encode() + b"\r\n",
            part.format("identity.average.sources[1].photo").encode() + photo + b"\r\n",
            part.format("identity.average.sources[0].photo").encode() + photo + b"\r\n",
            b"--b--\r\n",
        ]
    )
    seeds = {
        "generate": (0, json.dumps({"identity": between, **options}).encode()),
        "generate-as-a-form": (1, form),
        "compare": (2, json.dumps({"first": average, "second": embedding}).encode()),
        "detect": (4, json.dumps({"photo": base64.urlsafe_b64encode(photo).decode()}).encode()),
        "detect-as-a-form": (5, part.format("photo").encode() + photo + b"\r\n--b--"),
    }
    for name, (kind, body) in seeds.items():
        (FOLDER / "bodies" / name).write_bytes(bytes([kind]) + body)


if __name__ == "__main__":
    models(sys.argv[1])
    requests()
    settings()
    bodies()
