"""Makes a model repository for a test: make.py KIND FOLDER, with triton-models on the path.

- for-gpu: mini, configured as the real profile is, for a GPU if there is one;
- guided: mini, and its UNet once more with the guidance inside;
- half: for-gpu, where encoder, UNet and VAE decoder speak FP16;
- broken: mini, whose decoder's file is not the one that its configuration names;
- full-size: the tensors of Stable Diffusion v1-5 in FP16, and next to no network behind them.
"""

import argparse
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from export import guided as guidance_inside
from export.config import Tensor, model_sha256, serve_with, write_config
from onnx import TensorProto, helper, numpy_helper

TRITON_MODELS = Path(__file__).resolve().parents[5] / "triton-models"
ONNX_TYPES = {"UINT8": TensorProto.UINT8, "FP16": TensorProto.FLOAT16, "FP32": TensorProto.FLOAT}


def for_gpu(folder: Path) -> None:
    for model in (TRITON_MODELS / "mini").iterdir():
        serve_with(Path(shutil.copytree(model, folder / model.name)), "onnxruntime")


def guided(folder: Path) -> None:
    for model in (TRITON_MODELS / "mini").iterdir():
        shutil.copytree(model, folder / model.name)
    guidance_inside.add(folder)


def half(folder: Path) -> None:
    for_gpu(folder)
    for name in ("encoder", "unet", "vae_decoder"):
        speak_half(folder / name)


def broken(folder: Path) -> None:
    shutil.copytree(TRITON_MODELS / "mini", folder, dirs_exist_ok=True)
    with (folder / "vae_decoder" / "1" / "model.onnx").open("ab") as file:
        file.write(b"\0")


def speak_half(folder: Path) -> None:
    """Wraps a network, which goes on computing in FP32, so that latents, contexts and predictions are FP16."""
    file = folder / "1" / "model.onnx"
    model = onnx.load(file)
    graph = model.graph
    tensors = [
        tensor
        for tensor in [*graph.input, *graph.output]
        if tensor.name in ("latents", "context", "negative_context", "prediction")
    ]
    inputs = {tensor.name for tensor in graph.input}
    for tensor in tensors:
        inner = f"{tensor.name}_fp32"
        for node in graph.node:
            node.input[:] = [inner if name == tensor.name else name for name in node.input]
            node.output[:] = [inner if name == tensor.name else name for name in node.output]
        if tensor.name in inputs:
            graph.node.insert(0, helper.make_node("Cast", [tensor.name], [inner], to=TensorProto.FLOAT))
        else:
            graph.node.append(helper.make_node("Cast", [inner], [tensor.name], to=TensorProto.FLOAT16))
        tensor.type.tensor_type.elem_type = TensorProto.FLOAT16
    onnx.save(model, file)
    config = folder / "config.pbtxt"
    text = config.read_text()
    for tensor in tensors:
        text = text.replace(f'"{tensor.name}" data_type: TYPE_FP32', f'"{tensor.name}" data_type: TYPE_FP16')
    config.write_text(
        re.sub(r'(?<=key: "model_sha256" value { string_value: ")\w+', model_sha256(file), text)
    )


def full_size(folder: Path) -> None:
    rows = 64
    boxes = np.zeros((1, rows, 4), np.float32)
    boxes[0, 0] = 160, 120, 480, 560
    scores = np.zeros((1, rows), np.float32)
    scores[0, 0] = 0.9
    landmarks = np.zeros((1, rows, 5, 2), np.float32)
    landmarks[0, 0] = (250, 280), (390, 280), (320, 360), (265, 440), (375, 440)
    save(
        folder / "face_detector",
        4,
        [Tensor("image", "UINT8", (640, 640, 3))],
        [
            Tensor("boxes", "FP32", (rows, 4)),
            Tensor("scores", "FP32", (rows,)),
            Tensor("landmarks", "FP32", (rows, 5, 2)),
        ],
        [
            helper.make_node("Shape", ["image"], ["batch"], start=0, end=1),
            *repeated("batch", "boxes", boxes),
            *repeated("batch", "scores", scores),
            *repeated("batch", "landmarks", landmarks),
        ],
        {"one_face_boxes": boxes, "one_face_scores": scores, "one_face_landmarks": landmarks},
        {"score_threshold": "0.5"},
    )
    save(
        folder / "arcface",
        16,
        [Tensor("face", "UINT8", (112, 112, 3))],
        [Tensor("embedding", "FP32", (512,))],
        [
            helper.make_node("Cast", ["face"], ["floats"], to=TensorProto.FLOAT),
            helper.make_node("Flatten", ["floats"], ["flat"]),
            helper.make_node("Slice", ["flat", "middle", "end", "axis"], ["some"]),
            helper.make_node("Add", ["some", "one"], ["embedding"]),
        ],
        {
            "middle": np.array([18000]),
            "end": np.array([18512]),
            "axis": np.array([1]),
            "one": np.float32(1),
        },
        {"recogniser_id": "pixels"},
    )
    save(
        folder / "encoder",
        8,
        [Tensor("id_embedding", "FP32", (512,))],
        [Tensor("context", "FP16", (77, 768)), Tensor("negative_context", "FP16", (77, 768))],
        [
            helper.make_node("Pad", ["id_embedding", "padding"], ["padded"]),
            helper.make_node("Unsqueeze", ["padded", "axis"], ["token"]),
            helper.make_node("Tile", ["token", "times"], ["tokens"]),
            helper.make_node("Cast", ["tokens"], ["context"], to=TensorProto.FLOAT16),
            helper.make_node("Sub", ["context", "context"], ["negative_context"]),
        ],
        {"padding": np.array([0, 0, 0, 256]), "axis": np.array([1]), "times": np.array([1, 77, 1])},
        {},
    )
    save(
        folder / "unet",
        16,
        [
            Tensor("latents", "FP16", (4, 64, 64)),
            Tensor("timestep", "FP32", (1,)),
            Tensor("context", "FP16", (77, 768)),
        ],
        [Tensor("prediction", "FP16", (4, 64, 64))],
        [
            helper.make_node("ReduceSum", ["context", "context_axes"], ["sums"]),
            helper.make_node("Reshape", ["sums", "column"], ["identity"]),
            helper.make_node("Cast", ["timestep"], ["half"], to=TensorProto.FLOAT16),
            helper.make_node("Add", ["half", "identity"], ["told"]),
            helper.make_node("Mul", ["told", "thousandth"], ["scaled"]),
            helper.make_node("Reshape", ["scaled", "shape"], ["shift"]),
            helper.make_node("Mul", ["latents", "most"], ["kept"]),
            helper.make_node("Add", ["kept", "shift"], ["prediction"]),
        ],
        {
            "context_axes": np.array([1, 2]),
            "column": np.array([-1, 1]),
            "thousandth": np.float16(1e-3),
            "shape": np.array([-1, 1, 1, 1]),
            "most": np.float16(0.9),
        },
        {
            "scheduler_config": '{"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012, '
            '"steps_offset": 1, "set_alpha_to_one": false, "clip_sample": false}',
            "default_steps": "25",
            "default_guidance": "3.0",
            "profile": "arc2face",
        },
    )
    save(
        folder / "vae_decoder",
        4,
        [Tensor("latents", "FP16", (4, 64, 64))],
        [Tensor("image", "UINT8", (512, 512, 3))],
        # Pixels that no compression makes smaller.
        [
            helper.make_node("Cast", ["latents"], ["floats"], to=TensorProto.FLOAT),
            helper.make_node("ReduceMean", ["floats"], ["means"], axes=[1, 2, 3], keepdims=1),
            helper.make_node("Add", ["means", "noise"], ["phases"]),
            helper.make_node("Sin", ["phases"], ["waves"]),
            helper.make_node("Mul", ["waves", "amplitude"], ["centred"]),
            helper.make_node("Add", ["centred", "amplitude"], ["values"]),
            helper.make_node("Cast", ["values"], ["image"], to=TensorProto.UINT8),
        ],
        {
            "noise": np.random.default_rng(1).uniform(0, 1000, (1, 512, 512, 3)).astype(np.float32),
            "amplitude": np.float32(127.5),
        },
        {
            "latent_rgb_factors": '{"factors": [[0.3, 0.2, 0.2], [0.2, 0.3, 0.2], [0.1, 0.2, 0.3], [0, 0, 0]], '
            '"bias": [0.5, 0.5, 0.5]}'
        },
    )


def repeated(batch: str, name: str, row: np.ndarray) -> list[onnx.NodeProto]:
    """Nodes that give every row of the batch the same values."""
    return [
        helper.make_node("Constant", [], [f"{name}_shape"], value_ints=row.shape[1:]),
        helper.make_node("Concat", [batch, f"{name}_shape"], [f"{name}_batch"], axis=0),
        helper.make_node("Expand", [f"one_face_{name}", f"{name}_batch"], [name]),
    ]


def save(
    folder: Path,
    max_batch: int,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    nodes: Sequence[onnx.NodeProto],
    constants: Mapping[str, np.ndarray],
    parameters: Mapping[str, str],
) -> None:
    graph = helper.make_graph(
        nodes,
        folder.name,
        [in_graph(tensor) for tensor in inputs],
        [in_graph(tensor) for tensor in outputs],
        [numpy_helper.from_array(np.asarray(values), name) for name, values in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    version = folder / "1"
    version.mkdir(parents=True)
    onnx.save(model, version / "model.onnx")
    write_config(folder, folder.name, max_batch, inputs, outputs, parameters)


def in_graph(tensor: Tensor) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(tensor.name, ONNX_TYPES[tensor.data_type], ["B", *tensor.dims])


KINDS = {"for-gpu": for_gpu, "guided": guided, "half": half, "full-size": full_size, "broken": broken}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    KINDS[arguments.kind](arguments.folder)
