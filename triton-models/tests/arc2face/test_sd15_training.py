"""A reduced Arc2Face is trained as the full one would be: its loss falls, it resumes and divides without a trace, and
what it writes is exported."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from safetensors.torch import load_file
from torch.nn import functional as F

from export.arc2face.__main__ import main as export
from export.arc2face.layout import Layout
from export.arc2face.preflight import UnfitError
from tests.arc2face import faces_to_train_on as faces
from training.sd15.denoiser import Denoiser
from training.sd15.recipe import Recipe
from training.sd15.training import Training, train
from training.sd15.weights import Start

STEPS, MIDDLE = 6, 3
RECIPE = Recipe(
    epochs=2,  # of 12 samples: six steps
    resolution=128,  # with less, the UNet's lowest level would normalise groups of two values, which amplifies rounding
    batch=4,
    unet_learning_rate=1e-3,
    encoder_learning_rate=1e-3,
    warm_up=2,
    average_decay=0.5,
    precision="fp32",
    shuffled_shards=2,
)
GENTLE = Recipe(**{**asdict(RECIPE), "unet_learning_rate": 1e-4, "encoder_learning_rate": 1e-4})
MODELS = Path(__file__).parents[2]

Train = Callable[..., Path]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return faces.write(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def run(start: Start, data: Path) -> Train:
    """Trains into a folder, four rows at a time unless told otherwise."""

    def run(out: Path, recipe: Recipe = RECIPE, rows: int = 4, until: int | None = None) -> Path:
        return train(recipe, start.root, data, out, rows, until, save_every=MIDDLE, workers=0)

    return run


@pytest.fixture(scope="module")
def trained(run: Train, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole training without interruption. Not to be changed."""
    return run(tmp_path_factory.mktemp("trained"))


def log(out: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def checkpoint(out: Path, step: int) -> Path:
    return out / "checkpoints" / f"step-{step:09d}"


def distance(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    return sum((one[name] - other[name]).detach().square().sum().item() for name in one) ** 0.5


def test_loss_falls(trained: Path) -> None:
    losses = [line["loss"] for line in log(trained)]
    assert len(losses) == STEPS
    assert losses[-1] < 0.8 * losses[0]


def test_resumed_training_is_the_uninterrupted_one(run: Train, trained: Path, tmp_path: Path) -> None:
    run(tmp_path, until=MIDDLE)
    with (tmp_path / "log.jsonl").open("a") as lines:
        lines.write('{"step": 3, "loss": 9.9}\n')  # of a step after the last checkpoint
    run(tmp_path)
    assert log(tmp_path) == log(trained)
    for networks in ("arc2face/diffusion_pytorch_model.safetensors", "encoder/model.safetensors"):
        assert (tmp_path / networks).read_bytes() == (trained / networks).read_bytes()
    for step in (MIDDLE, STEPS):
        ours, theirs = checkpoint(tmp_path, step), checkpoint(trained, step)
        assert (ours / "model.safetensors").read_bytes() == (theirs / "model.safetensors").read_bytes()
        one, other = (
            torch.load(folder / "optimizer.bin", weights_only=True)["state"] for folder in (ours, theirs)
        )
        for parameter, state in one.items():
            for name, value in state.items():
                assert torch.equal(value, other[parameter][name])


@pytest.fixture(scope="module")
def undivided(run: Train, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Steps that are small enough for roundings not to grow in them. Not to be changed."""
    return run(tmp_path_factory.mktemp("undivided"), GENTLE, until=MIDDLE)


def test_parts_of_a_batch_add_up(run: Train, undivided: Path, tmp_path: Path, start: Start) -> None:
    run(tmp_path, GENTLE, rows=2, until=MIDDLE)
    same_as(tmp_path, undivided, start)


def test_two_processes_equal_one_with_the_doubled_batch(
    undivided: Path, start: Start, data: Path, tmp_path: Path
) -> None:
    recipe, out = tmp_path / "recipe.toml", tmp_path / "out"
    recipe.write_text("\n".join(f"{name} = {json.dumps(value)}" for name, value in asdict(GENTLE).items()))
    # accelerate starts several processes on one machine only "for GPUs"; they find none, and use gloo.
    launch = "accelerate.commands.launch --multi_gpu --num_processes 2 --num_machines 1"
    options = f"--rows 2 --until {MIDDLE} --save-every {MIDDLE} --workers 0"
    subprocess.run(
        [
            *(sys.executable, "-m", *launch.split(), "--main_process_port", "0", "-m", "training.sd15"),
            *("--recipe", recipe, "--source", start.root, "--data", data, "--out", out, *options.split()),
        ],
        cwd=MODELS,
        env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        check=True,
        timeout=600,
    )
    assert (checkpoint(out, MIDDLE) / "random_states_1.pkl").is_file()  # there were two
    same_as(out, undivided, start)


def test_half_precision_begins_with_the_same_loss(run: Train, trained: Path, tmp_path: Path) -> None:
    AcceleratorState._reset_state(reset_partial_state=True)  # a process has one precision
    try:
        run(tmp_path, Recipe(**{**asdict(RECIPE), "precision": "bf16"}), until=1)
    finally:
        AcceleratorState._reset_state(reset_partial_state=True)
    (first, *_) = log(trained)
    assert log(tmp_path)[0]["loss"] == pytest.approx(first["loss"], rel=0.01)
    assert log(tmp_path)[0]["loss"] != first["loss"]
    written = load_file(tmp_path / "encoder" / "model.safetensors")
    assert {weight.dtype for weight in written.values()} == {torch.float32}


def same_as(out: Path, undivided: Path, start: Start) -> None:
    """Adam gives a gradient that is rounding noise a step of full length, so that weights are compared as a whole: by
    how far they lie apart, as a share of how far they have come."""
    for ours, theirs in zip(log(out), log(undivided), strict=True):
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-5)
        assert ours["gradient"] == pytest.approx(theirs["gradient"], rel=1e-4)
    begun = dict(Denoiser.load(start).named_parameters())
    one, other = (load_file(checkpoint(folder, MIDDLE) / "model.safetensors") for folder in (out, undivided))
    assert distance(one, other) < 0.01 * distance(begun, other)


def test_average_is_what_is_written(run: Train, trained: Path, start: Start) -> None:
    training = Training(Accelerator(cpu=True), RECIPE, start, recompute=False)
    training.accelerator.load_state(checkpoint(trained, STEPS))
    raw = {name: value.detach().clone() for name, value in training.denoiser.named_parameters()}
    written = dict(Denoiser.load(Start.find(trained)).named_parameters())
    for name, value in training.average.weights.items():
        assert torch.equal(written[name], value)
    assert distance(written, raw) > 0.1  # and not the weights of the last step
    assert training.average.updates == STEPS


def test_what_was_trained_is_exported_and_predicts_the_same(trained: Path, tmp_path: Path) -> None:
    export(["--source", str(trained), "--out", str(tmp_path / "models")])
    denoiser = Denoiser.load(Start.find(trained)).eval()
    random = torch.Generator().manual_seed(4)
    latents = torch.randn(2, 4, 16, 16, generator=random)
    embeddings = F.normalize(torch.randn(2, faces.EMBEDDING, generator=random))
    timesteps, conditional = torch.tensor([900, 100]), torch.tensor([True, True])
    with torch.no_grad():
        wanted = denoiser(latents, timesteps, embeddings, conditional)

    encoder, unet = (
        onnxruntime.InferenceSession(tmp_path / "models" / name / "1" / "model.onnx")
        for name in ("encoder", "unet")
    )
    context, _ = encoder.run(None, {"id_embedding": embeddings.numpy()})
    (prediction,) = unet.run(
        None,
        {"latents": latents.numpy(), "timestep": timesteps[:, None].float().numpy(), "context": context},
    )
    np.testing.assert_allclose(prediction, wanted.numpy(), rtol=1e-3, atol=1e-4)
    untrained = Layout(trained).root / "stable-diffusion-v1-5"
    assert {folder.name for folder in untrained.iterdir()} == {"scheduler", "tokenizer", "vae"}


def test_second_stage_starts_where_the_first_ended(
    run: Train, trained: Path, data: Path, tmp_path: Path
) -> None:
    second = train(RECIPE, trained, data, tmp_path, rows=4, until=1, save_every=MIDDLE, workers=0)
    assert log(second)[0]["loss"] < 0.8 * log(trained)[0]["loss"]


def test_training_goes_on_only_as_it_began(
    run: Train, trained: Path, start: Start, data: Path, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(trained, tmp_path / "out"))
    with pytest.raises(UnfitError, match=r"cannot go on, for seed was 0 and is 1"):
        run(out, Recipe(**{**asdict(RECIPE), "seed": 1}))
    other = faces.write(tmp_path / "other")
    (other / "faces-2.tar").unlink()
    with pytest.raises(UnfitError, match="the shards are others"):
        train(RECIPE, start.root, other, out, rows=4, workers=0)
