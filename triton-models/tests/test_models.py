"""The mini profile in a real Triton: the model contract, and rows that do not depend on their batch."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageOps

from serving.layout import TRITON_MODELS
from tests.client import Client, Counts, Tensors

SAMPLE = TRITON_MODELS.parent / "samples" / "collins.png"

# Per model: the tensors in and out as TYPE [sizes], and the parameters; a letter is the same number everywhere.
UNET_INPUTS = {"latents": "FP32 4 h w", "timestep": "FP32 1", "context": "FP32 T C"}
UNET_OUTPUTS = {"prediction": "FP32 4 h w"}
UNET_PARAMETERS = {"scheduler_config", "default_steps", "default_guidance", "profile"}
CONTRACT = {
    "face_detector": (
        {"image": "UINT8 S S 3"},
        {"boxes": "FP32 K 4", "scores": "FP32 K", "landmarks": "FP32 K 5 2"},
        {"score_threshold", "border_from"},
    ),
    "arcface": (
        {"face": "UINT8 112 112 3"},
        {"embedding": "FP32 D"},
        {"recogniser_id", "same_person_threshold"},
    ),
    "encoder": (
        {"id_embedding": "FP32 D"},
        {"context": "FP32 T C", "negative_context": "FP32 T C"},
        set(),
    ),
    "unet": (UNET_INPUTS, UNET_OUTPUTS, UNET_PARAMETERS),
    "unet_lcm": (UNET_INPUTS, UNET_OUTPUTS, UNET_PARAMETERS | {"default_scheduler"}),
    "vae_decoder": ({"latents": "FP32 4 h w"}, {"image": "UINT8 H W 3"}, {"latent_rgb_factors"}),
}
SIZES = {"S": 320, "K": 64, "D": 256, "T": 8, "C": 192, "h": 16, "w": 16, "H": 128, "W": 128}


def tensors_of(side: list[dict]) -> dict[str, tuple[str, list[int]]]:
    return {tensor["name"]: (tensor["datatype"], [int(size) for size in tensor["shape"]]) for tensor in side}


def by_contract(side: dict[str, str]) -> dict[str, tuple[str, list[int]]]:
    tensors = {}
    for name, text in side.items():
        data_type, *dims = text.split()
        tensors[name] = data_type, [-1, *(SIZES.get(dim) or int(dim) for dim in dims)]
    return tensors


@pytest.mark.parametrize("model", CONTRACT)
def test_metadata_and_parameters_are_the_contracts(mini: Client, model: str) -> None:
    inputs, outputs, parameters = CONTRACT[model]
    metadata = mini.stub.get_model_metadata(model, as_json=True)
    config = mini.stub.get_model_config(model, as_json=True)["config"]

    assert tensors_of(metadata["inputs"]) == by_contract(inputs)
    assert tensors_of(metadata["outputs"]) == by_contract(outputs)
    assert config["backend"] == "onnxruntime"
    assert "dynamic_batching" in config
    assert config["instance_group"][0]["count"] == 1, "more would split the batches"
    assert set(config["parameters"]) == parameters | {"model_sha256", "licence", "engine", "instruction_set"}


def test_every_model_is_ready(mini: Client) -> None:
    assert mini.stub.is_server_ready()
    assert all(mini.stub.is_model_ready(model) for model in CONTRACT)
    assert set(mini.listening.models) == set(CONTRACT)


def test_negative_context_does_not_depend_on_the_embedding(mini: Client) -> None:
    negative = mini.infer("encoder", encoder_rows(16))["negative_context"]
    assert (negative == negative[0]).all()


# Rows that differ in every input; a UNet's rows are at different steps of their loops.


def detector_rows(rows: int) -> Tensors:
    """The sample photo, letterboxed, shifted, mirrored and darkened in as many ways."""
    photo = Image.open(SAMPLE).convert("RGB")
    images = []
    for row in range(rows):
        crop = photo.crop((row * 4, row * 2, photo.width - row, photo.height - row * 3))
        crop = ImageOps.mirror(crop) if row % 2 else crop
        crop = ImageOps.contain(crop, (SIZES["S"], SIZES["S"]), Image.Resampling.BILINEAR)
        canvas = Image.new("RGB", (SIZES["S"], SIZES["S"]))
        canvas.paste(crop.point(lambda value, row=row: value * (20 - row) // 20))
        images.append(np.asarray(canvas))
    return {"image": np.stack(images)}


def arcface_rows(rows: int) -> Tensors:
    images = detector_rows(rows)["image"][:, 10:122, 90:202]
    return {"face": np.ascontiguousarray(images)}


def encoder_rows(rows: int) -> Tensors:
    x = np.random.default_rng(1).standard_normal((rows, SIZES["D"]), np.float32)
    return {"id_embedding": x / np.linalg.norm(x, axis=1, keepdims=True)}


def unet_rows(rows: int) -> Tensors:
    random = np.random.default_rng(2)
    return {
        "latents": random.standard_normal((rows, 4, SIZES["h"], SIZES["w"]), np.float32),
        "timestep": np.linspace(999, 1, rows, dtype=np.float32)[:, None],
        "context": random.standard_normal((rows, SIZES["T"], SIZES["C"]), np.float32),
    }


def vae_rows(rows: int) -> Tensors:
    return {"latents": unet_rows(rows)["latents"]}


ROWS: dict[str, tuple[Callable[[int], Tensors], int]] = {
    "face_detector": (detector_rows, 4),
    "arcface": (arcface_rows, 16),
    "encoder": (encoder_rows, 16),
    "unet": (unet_rows, 16),
    "unet_lcm": (unet_rows, 16),
    "vae_decoder": (vae_rows, 16),
}


def part(tensors: Tensors, start: int, stop: int) -> Tensors:
    return {name: array[start:stop] for name, array in tensors.items()}


def assert_same_bits(actual: Tensors, expected: Tensors) -> None:
    for name, array in expected.items():
        assert actual[name].tobytes() == array.tobytes(), f"{name} differs"


@pytest.fixture(scope="module")
def alone(mini: Client) -> dict[str, Tensors]:
    """Every row of every model, computed in a batch of its own: model -> output -> [max,...]."""
    results = {}
    for model, (make, count) in ROWS.items():
        inputs = make(count)
        rows = [mini.infer(model, part(inputs, row, row + 1)) for row in range(count)]
        results[model] = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    return results


@pytest.mark.parametrize("model", CONTRACT)
def test_row_is_the_same_in_a_batch_of_any_size(mini: Client, alone: dict[str, Tensors], model: str) -> None:
    make, count = ROWS[model]
    for size in range(2, count + 1):
        assert_same_bits(mini.infer(model, part(make(count), 0, size)), part(alone[model], 0, size))


@pytest.mark.parametrize("model", CONTRACT)
def test_callers_batched_together_get_what_they_get_alone(
    gathering_mini: Client, alone: dict[str, Tensors], model: str
) -> None:
    """Requests of 1, 2, 3, ... rows at unequal steps fill one batch, on another replica than the rows alone."""
    make, count = ROWS[model]
    inputs = make(count)
    bounds = [0, 1, 3, 6, 10, 16] if count == 16 else [0, 1, 4]
    before = gathering_mini.counts(model)

    parts = list(itertools.pairwise(bounds))
    calls = [gathering_mini.start(model, part(inputs, start, stop)) for start, stop in parts]

    for call, (start, stop) in zip(calls, parts, strict=True):
        assert_same_bits(call.result(), part(alone[model], start, stop))
    since = gathering_mini.counts_since(before, model, len(parts))
    assert since == Counts(requests=len(parts), rows=count, runs=1)


def test_malformed_request_beside_good_ones_fails_alone(mini: Client, alone: dict[str, Tensors]) -> None:
    inputs = unet_rows(16)
    calls = [mini.start("unet", part(inputs, row, row + 2)) for row in range(0, 8, 2)]
    bad = mini.start("unet", {**part(inputs, 0, 2), "timestep": np.zeros((2, 2), np.float32)})

    for row, call in zip(range(0, 8, 2), calls, strict=True):
        assert_same_bits(call.result(), part(alone["unet"], row, row + 2))
    assert "unexpected shape for input 'timestep'" in bad.error()


def test_sample_photo_shows_one_face(mini: Client) -> None:
    found = mini.infer("face_detector", detector_rows(1))
    scores, boxes = found["scores"][0], found["boxes"][0]
    assert scores[0] > 0.9
    assert (scores[1:] == 0).all()
    assert (boxes[1:] == 0).all()
    left, top, right, bottom = boxes[0]
    eyes = found["landmarks"][0, 0, :2]
    assert ((eyes > [left, top]) & (eyes < [right, bottom])).all()
