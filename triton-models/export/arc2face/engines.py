"""Readies an exported model repository for a GPU: each model's engine, and what builds and checks TensorRT's.

TensorRT builds an engine for one GPU and one of its own versions, so it is built where it will be served, in NVIDIA's
Triton container. `write_build_script` leaves there all that needs no more than that container: a shell script with
every command, and inputs with the outputs that ONNX Runtime gave for them here.
"""

import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from PIL import Image

from export import config
from export.arc2face import tensorrt
from export.config import Tensor

# Triton 2.51, which nvidia-pytriton holds, is NVIDIA's container 24.10 (build.py of triton-inference-server/server
# v2.51.0). Its TensorRT is 10.5 (NVIDIA's frameworks support matrix); the script refuses another one.
IMAGE = "nvcr.io/nvidia/tritonserver:24.10-py3"
TENSORRT = "10.5"
TENSORRT_PREFIX = (
    "1005"  # of the number that trtexec calls itself by: major, two digits of minor, two of patch
)

# Scratch memory for a kernel, in MiB. A limit, not a reservation.
WORKSPACE = 4096

# Rows that callers usually send, which TensorRT tunes its kernels for: four pictures, with guidance or without; a
# photo and its embedding come alone.
USUAL_ROWS = {"face_detector": 1, "arcface": 4, "encoder": 1, "unet": 8, "unet_lcm": 4, "vae_decoder": 4}

# Batches that are too small to keep a GPU busy while the CPU launches the next kernel. Larger ones, and the decoder's
# 512 pixels, are bound by arithmetic.
CUDA_GRAPHS = {
    "face_detector": (1,),
    "arcface": (1, 2, 4),
    "encoder": (1,),
    "unet": (1, 2, 4, 6, 8),
    "unet_lcm": (1, 2, 4),
}

# Of an engine against ONNX Runtime: the largest difference relative to the largest value, for pictures the root mean
# square of 0..1 (60 and 35 dB).
TOLERANCES = {"fp32": {"float": 1e-3, "UINT8": 1e-3}, "fp16": {"float": 3e-2, "UINT8": 10 ** (-35 / 20)}}

NUMPY_TYPES = {"FP32": np.float32, "FP16": np.float16, "UINT8": np.uint8}
TEMPLATES = Path(__file__).parent
PHOTO = Path(__file__).parents[3] / "samples" / "collins.png"
MIB = 1 << 20
PROBLEMS = 5  # of one graph, that are told


class UnsupportedGraphError(Exception):
    """TensorRT would not take the graph; the message says what of it."""


@dataclass(frozen=True)
class Plan:
    """How one engine is built: for batches of `rows` = smallest, usual, largest; memory in MiB."""

    model: str
    rows: tuple[int, int, int]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    cuda_graphs: tuple[int, ...]
    sha256: str
    least_memory: int
    usual_memory: int

    def arguments(self, precision: str) -> list[str]:
        """Of trtexec. Strongly typed: each tensor keeps the type that the graph gives it, so that what the export
        kept in FP32 stays so, and FP32 does not become TF32."""
        shapes = [
            f"--{name}Shapes="
            + ",".join(f"{t.name}:{'x'.join(map(str, (rows, *t.dims)))}" for t in self.inputs)
            for name, rows in zip(("min", "opt", "max"), self.rows, strict=True)
        ]
        return [*shapes, "--stronglyTyped", *(["--noTF32"] if precision == "fp32" else [])]


def use_onnxruntime(out: Path) -> None:
    """Lets every model run in ONNX Runtime, on a GPU where there is one."""
    for folder in models(out):
        config.serve_with(folder, "onnxruntime")


def write_build_script(out: Path, precision: str) -> Path:
    """Lets the models run in TensorRT, and writes `build-engines` and what it needs. Returns the script.

    A model whose graph TensorRT would not take stays in ONNX Runtime, and standard error tells why.
    """
    use_onnxruntime(out)
    plans = []
    for folder in models(out):
        try:
            plans.append(plan(folder))
        except UnsupportedGraphError as error:
            print(f"{folder.name} stays in ONNX Runtime: {error}", file=sys.stderr)
    for each in plans:
        config.serve_with(out / each.model, "tensorrt", each.cuda_graphs)
    write_references(out, plans, precision)
    shutil.copyfile(TEMPLATES / "check_engines.py", out / "check-engines.py")
    script = out / "build-engines"
    script.write_text(build_script(plans, precision), encoding="ascii")
    script.chmod(0o755)
    return script


def models(out: Path) -> list[Path]:
    return [path.parent for path in sorted(out.glob("*/config.pbtxt"))]


def plan(folder: Path) -> Plan:
    """The engine of a model, for all that the gateway can send: 1 to max_batch_size rows."""
    graph = tensorrt.load(folder / "1" / "model.onnx")
    most = config.max_batch_size(folder)
    live = {}
    for rows in (1, most):
        sized = tensorrt.at_batch(graph, rows)
        problems = tensorrt.refusals(sized) + tensorrt.unknown_shapes(sized)
        if problems:
            raise UnsupportedGraphError("; ".join(problems[:PROBLEMS]))
        live[rows] = tensorrt.live_bytes(sized)
    weights = sum(file.stat().st_size for file in (folder / "1").glob("model.onnx*"))
    return Plan(
        model=folder.name,
        rows=(1, min(USUAL_ROWS.get(folder.name, 1), most), most),
        inputs=signature(sized.graph.input),
        outputs=signature(sized.graph.output),
        cuda_graphs=tuple(rows for rows in CUDA_GRAPHS.get(folder.name, ()) if rows <= most),
        sha256=config.model_sha256(folder / "1" / "model.onnx"),
        # The builder holds the network and the engine in turn.
        least_memory=(2 * weights + live[1]) // MIB,
        usual_memory=(2 * weights + live[most]) // MIB + WORKSPACE,
    )


def signature(values: list[onnx.ValueInfoProto]) -> tuple[Tensor, ...]:
    return tuple(
        Tensor(
            value.name,
            tensorrt.TYPES[value.type.tensor_type.elem_type],
            tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim[1:]),
        )
        for value in values
    )


def build_script(plans: list[Plan], precision: str) -> str:
    builds = "\n".join(
        " ".join(
            ["build", p.model, p.sha256, str(p.least_memory), str(p.usual_memory), *p.arguments(precision)]
        )
        for p in plans
    )
    text = (TEMPLATES / "build_engines.sh").read_text(encoding="ascii")
    for name, value in {
        "IMAGE": IMAGE,
        "TENSORRT": TENSORRT,
        "TENSORRT_PREFIX": TENSORRT_PREFIX,
        "WORKSPACE": str(WORKSPACE),
        "MODELS": " ".join(p.model for p in plans),
        "BUILDS": builds,
    }.items():
        text = text.replace(f"@{name}@", value)
    return text


def write_references(out: Path, plans: list[Plan], precision: str) -> None:
    """Writes MODEL/check/: two rows in, what ONNX Runtime makes of them on this CPU, and how to compare.

    Not in a folder of its own: Triton takes every folder of a repository for a model, and in one only numbers for
    versions.
    """
    contexts = None
    for each in sorted(plans, key=lambda p: p.model != "encoder"):  # its contexts are the UNet's
        inputs = examples(each, contexts)
        graph = out / each.model / "1" / "model.onnx"
        session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
        names = [tensor.name for tensor in each.outputs]
        outputs = dict(zip(names, session.run(names, inputs), strict=True))
        del session  # and its memory, before the next one takes some
        if each.model == "encoder":
            contexts = outputs["context"]
        check = out / each.model / "check"
        shutil.rmtree(check, ignore_errors=True)
        check.mkdir()
        for name, array in {**inputs, **outputs}.items():
            (check / name).write_bytes(array.tobytes())
        described = {
            "rows": sorted(set(each.rows)),
            "cuda_graphs": each.cuda_graphs,
            "inputs": [describe(tensor) for tensor in each.inputs],
            "outputs": [describe(tensor, TOLERANCES[precision]) for tensor in each.outputs],
        }
        (check / "plan.json").write_text(json.dumps(described, indent=1) + "\n", encoding="ascii")


def describe(tensor: Tensor, tolerances: Mapping[str, float] | None = None) -> dict[str, object]:
    described: dict[str, object] = {"name": tensor.name, "type": tensor.data_type, "dims": tensor.dims}
    if tolerances is not None:
        described["tolerance"] = tolerances.get(tensor.data_type, tolerances["float"])
    return described


def examples(each: Plan, contexts: np.ndarray | None) -> dict[str, np.ndarray]:
    """Two rows that differ for every input, [R,...]: a photo and its mirror image, two timesteps, noise."""
    random = np.random.default_rng(0)
    made = {}
    for tensor in each.inputs:
        if tensor.name == "timestep":
            array = np.array([[801], [101]])
        elif tensor.name == "context" and contexts is not None:
            array = contexts
        elif tensor.data_type == "UINT8":
            with Image.open(PHOTO) as photo:
                picture = np.asarray(photo.convert("RGB").resize(tensor.dims[1::-1]))
            array = np.stack([picture, picture[:, ::-1]])
        else:
            array = random.standard_normal((2, *tensor.dims))
        if tensor.name == "id_embedding":
            array /= np.linalg.norm(array, axis=1, keepdims=True)
        made[tensor.name] = np.ascontiguousarray(array, NUMPY_TYPES[tensor.data_type])
    return made
