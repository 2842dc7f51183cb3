"""Every stage, in small: goes on after an interruption as if there had been none, and learns."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler
from torch import Tensor, nn

from tests.training.small_networks import DIFFUSION, small_autoencoder
from training import checkpoint, loop
from training.alignment import PORTRAIT_TEMPLATE
from training.autoencoder import AutoencoderTraining, evaluate
from training.average import Average
from training.diffusion import DiffusionTraining
from training.distillation import DistillationTraining
from training.identity_loss import IdentityLoss
from training.latents import LatentFaces, cache
from training.learning_rate import WARM_UP, learning_rate
from training.optimisation import Optimisation
from training.reward import GUIDANCE, PHASES, RewardTraining, guided
from training.schedule import SCHEDULER_CONFIG

STEPS = 5
Make = Callable[[], loop.Stage]


def portraits(count: int) -> np.ndarray:
    """Smooth coloured pictures [N,128,128,3]."""
    coarse = torch.rand(count, 3, 5, 5, generator=torch.Generator().manual_seed(7))
    smooth = nn.functional.interpolate(coarse, 128, mode="bicubic").clamp(0, 1)
    return (smooth * 255).byte().permute(0, 2, 3, 1).contiguous().numpy()


def landmarks(count: int) -> np.ndarray:
    return PORTRAIT_TEMPLATE.repeat(count, 1, 1).numpy()


def optimise(network: nn.Module, steps: int = STEPS) -> Optimisation:
    return Optimisation(network, steps, 1e-2, 0.9)


@pytest.fixture
def stages(faces: LatentFaces, identity_loss: IdentityLoss, recogniser: nn.Module) -> dict[str, Make]:
    """How to begin each stage, always with the same weights."""

    def networks() -> nn.ModuleDict:
        torch.manual_seed(5)
        return checkpoint.build_diffusion(DIFFUSION)

    def autoencoder() -> loop.Stage:
        torch.manual_seed(6)
        network = small_autoencoder()
        shown = portraits(4), landmarks(4)
        return AutoencoderTraining(*shown, recogniser, network, optimise(network), encoder_steps=3, batch=2)

    def diffusion() -> loop.Stage:
        return DiffusionTraining(faces, identity_loss, optimise(networks()), 4, 2, 2, 0.2)

    def reward() -> loop.Stage:
        return RewardTraining(faces, identity_loss, optimise(networks()), 2, 1, 0.5)

    def distillation() -> loop.Stage:
        teacher, student = networks(), networks()["unet"]
        return DistillationTraining(
            faces, checkpoint.freeze(teacher), identity_loss, optimise(student), 4, 2, 0.1
        )

    return {
        "autoencoder": autoencoder,
        "diffusion": diffusion,
        "reward": reward,
        "distillation": distillation,
    }


def weights(path: Path) -> dict[str, Any]:
    state = checkpoint.load(path)
    random = dict(enumerate(state["random"]))
    return {"weights": state["weights"], "average": state["average"], "random": random}


@pytest.mark.parametrize("name", ["autoencoder", "diffusion", "reward", "distillation"])
def test_interrupted_training_equals_an_uninterrupted_one(
    name: str, stages: dict[str, Make], tmp_path: Path
) -> None:
    whole, parts = tmp_path / "whole.pt", tmp_path / "parts.pt"
    torch.manual_seed(8)
    loop.run(stages[name](), whole, STEPS)
    torch.manual_seed(8)
    loop.run(stages[name](), parts, 2)
    with parts.with_suffix(".jsonl").open("a") as log:  # of a step that no checkpoint holds
        log.write('{"step": 3, "loss": 0}\n{"st')
    torch.manual_seed(99)
    loop.run(stages[name](), parts, STEPS)

    one, other = weights(whole), weights(parts)
    for kind, tensors in one.items():
        for tensor, value in tensors.items():
            assert torch.equal(value, other[kind][tensor]), (kind, tensor)
    logs = [[json.loads(line) for line in path.with_suffix(".jsonl").open()] for path in (whole, parts)]
    for log in logs:
        assert [line["step"] for line in log] == [1, 2, 3, 4, 5]
    assert [line["loss"] for line in logs[0]] == [line["loss"] for line in logs[1]]


class Interrupted:
    """A stage that is asked to end while it makes its second step."""

    def __init__(self) -> None:
        self.step = 0

    def advance(self) -> dict[str, float]:
        self.step += 1
        if self.step == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return {"loss": 1.0}

    def state(self) -> dict[str, Any]:
        return {"step": self.step}

    def restore(self, state: dict[str, Any]) -> None:
        self.step = state["step"]


def test_signal_ends_the_training_after_its_step_and_saves_it(tmp_path: Path) -> None:
    path = tmp_path / "stage.pt"
    with pytest.raises(SystemExit, match="after step 2"):
        loop.run(Interrupted(), path, 5)
    assert checkpoint.load(path)["step"] == 2
    loop.run(Interrupted(), path, 5)
    assert checkpoint.load(path)["step"] == 5


def test_failed_write_leaves_the_checkpoint_before(tmp_path: Path) -> None:
    path = tmp_path / "stage.pt"
    checkpoint.save({"step": 1}, path)
    with pytest.raises(Exception, match="pickle"):
        checkpoint.save({"step": lambda: 2}, path)
    assert checkpoint.load(path)["step"] == 1


def test_diffusion_learns_a_few_faces(
    faces: LatentFaces, identity_loss: IdentityLoss, networks: nn.ModuleDict
) -> None:
    training = DiffusionTraining(faces, identity_loss, optimise(networks, 200), 12, 10_000, 2, 0.2)
    losses = [training.advance()["loss"] for _ in range(80)]
    assert np.mean(losses[-20:]) < 0.9 * np.mean(losses[:20])


def test_pool_samples_as_diffusers_does(
    faces: LatentFaces, identity_loss: IdentityLoss, networks: nn.ModuleDict
) -> None:
    nn.init.normal_(networks["unet"].leave[-1].weight, std=0.05)
    training = RewardTraining(faces, identity_loss, Optimisation(networks, STEPS, 0.0, 0.9), 1, 2, 0.5)
    training.advance()  # new noise comes in
    pool = training.pool
    latents, conditions = pool.latents[0], pool.conditions[0]
    for _ in range(PHASES - 1):
        training.advance()
    scheduler = DDIMScheduler.from_config(SCHEDULER_CONFIG)
    scheduler.set_timesteps(PHASES)
    for timestep in scheduler.timesteps[:-1]:
        velocity = guided(networks, latents, timestep.expand(2), conditions, GUIDANCE)
        latents = scheduler.step(velocity, timestep, latents).prev_sample
    torch.testing.assert_close(pool.latents[-1], latents.detach(), atol=1e-4, rtol=1e-4)


def test_reward_reaches_what_is_sampled(faces: LatentFaces, networks: nn.ModuleDict) -> None:
    def darkness(latents: Tensor, _landmarks: Tensor, _wanted: Tensor) -> Tensor:
        return latents.mean((1, 2, 3))

    training = RewardTraining(faces, darkness, optimise(networks, 100), 2, 1, 1.0)
    finished = [training.advance()["finished"] for _ in range(40)]
    assert np.mean(finished[-10:]) < np.mean(finished[:10]) - 0.5


def test_distillation_moves_the_student_to_the_teachers_samplings(
    faces: LatentFaces, identity_loss: IdentityLoss, networks: nn.ModuleDict
) -> None:
    teacher = checkpoint.freeze(networks)
    nn.init.normal_(teacher["unet"].leave[-1].weight, std=0.05)
    torch.manual_seed(9)
    student = checkpoint.build_diffusion(DIFFUSION)["unet"]
    training = DistillationTraining(faces, teacher, identity_loss, optimise(student, 100), 4, 1, 0.0)
    losses = [training.advance()["loss"] for _ in range(40)]
    assert np.mean(losses[-8:]) < 0.8 * np.mean(losses[:8])


def test_autoencoder_learns_a_few_pictures(recogniser: nn.Module) -> None:
    network = small_autoencoder()
    optimisation = Optimisation(network, 150, 1e-2, 0.9)
    training = AutoencoderTraining(portraits(4), landmarks(4), recogniser, network, optimisation, 60, 4)
    losses = [training.advance()["loss"] for _ in range(60)]
    assert np.mean(losses[-10:]) < 0.6 * np.mean(losses[:10])


def test_decoder_goes_on_alone_with_the_averaged_encoder(recogniser: nn.Module) -> None:
    network = small_autoencoder()
    optimisation = Optimisation(network, 20, 1e-2, 0.9)
    training = AutoencoderTraining(portraits(4), landmarks(4), recogniser, network, optimisation, 4, 2)
    for _ in range(4):
        training.advance()
    joint = {name: value.clone() for name, value in network.state_dict().items()}
    averaged = {name: value.clone() for name, value in optimisation.average.weights.items()}
    training.advance()
    training.advance()
    for name, value in network.state_dict().items():
        if name.startswith("decoder."):
            assert name.endswith("bias") or not torch.equal(value, joint[name]), name
        else:
            assert torch.equal(value, averaged[name]), name


def test_measure_of_the_autoencoder_is_perfect_for_a_perfect_one() -> None:
    class Identity(nn.Module):
        decoder = staticmethod(lambda image: image)
        encode = staticmethod(lambda image: image + 2 / 255)

    pictures = portraits(3) // 2 + 50
    decoded, psnr, energy = evaluate(Identity(), pictures)
    np.testing.assert_array_equal(decoded, pictures + 1)
    assert psnr == pytest.approx(20 * np.log10(255))
    assert energy == pytest.approx(1)


def test_average_follows_the_weights() -> None:
    network = nn.BatchNorm2d(3)
    average = Average(network, 0.75)
    expected = network.weight.detach().clone()
    for step in range(12):
        with torch.no_grad():
            network.weight += torch.randn(3)
            network.num_batches_tracked += 1
        average.update(network)
        decay = min(0.75, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * network.weight.detach()
    torch.testing.assert_close(average.weights["weight"], expected)
    assert average.weights["num_batches_tracked"] == 12


def test_learning_rate_rises_and_falls() -> None:
    rates = [learning_rate(step, 1_000, 1.0) for step in range(1_000)]
    assert max(rates) == rates[WARM_UP] == 1
    assert rates[0] == pytest.approx(1 / WARM_UP)
    assert rates[-1] == pytest.approx(0.05, abs=1e-3)


def test_mirror_images_follow_in_the_second_half(recogniser: nn.Module) -> None:
    network = checkpoint.freeze(small_autoencoder())
    pictures = portraits(3)
    arrays = cache(network, recogniser, pictures, landmarks(3))
    mirrored = cache(network, recogniser, np.ascontiguousarray(pictures[:, :, ::-1]), landmarks(3))
    for name in ("latents", "landmarks"):
        np.testing.assert_allclose(arrays[name][3:], mirrored[name][:3], atol=2e-3)
    np.testing.assert_allclose(arrays["embeddings"][3:, 0], mirrored["embeddings"][:3, 0], atol=2e-3)
    assert np.abs(arrays["embeddings"][:3] - arrays["embeddings"][3:]).max() > 0.01
