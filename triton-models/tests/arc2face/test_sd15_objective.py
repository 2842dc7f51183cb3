"""What is learned, against diffusers and against the encoder that is served."""

import pytest
import torch
from diffusers import DDPMScheduler
from diffusers.training_utils import EMAModel, compute_snr
from torch import nn
from torch.nn import functional as F
from transformers import CLIPTextModel

from export.arc2face.encoder import IdentityEncoder
from export.arc2face.random_weights import SCHEDULER_CONFIG
from training.average import Average
from training.sd15.denoiser import Denoiser
from training.sd15.objective import Objective
from training.sd15.weights import Start

TIMESTEPS = torch.tensor([0, 1, 250, 500, 999])


@pytest.fixture(scope="module")
def latents() -> tuple[torch.Tensor, torch.Tensor]:
    """Latents and noise."""
    random = torch.Generator().manual_seed(0)
    return torch.randn(5, 4, 8, 8, generator=random), torch.randn(5, 4, 8, 8, generator=random)


def scheduler(kind: str) -> DDPMScheduler:
    return DDPMScheduler.from_config({**SCHEDULER_CONFIG, "prediction_type": kind})


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction"])
def test_noise_and_target_are_diffusers(kind: str, latents: tuple[torch.Tensor, torch.Tensor]) -> None:
    reference, objective = scheduler(kind), Objective(scheduler(kind), min_snr=0)
    noisy = objective.disturb(*latents, TIMESTEPS)
    torch.testing.assert_close(noisy, reference.add_noise(*latents, TIMESTEPS), rtol=1e-6, atol=1e-6)
    target = objective.target(*latents, TIMESTEPS)
    wanted = latents[1] if kind == "epsilon" else reference.get_velocity(*latents, TIMESTEPS)
    torch.testing.assert_close(target, wanted, rtol=1e-6, atol=1e-6)
    assert objective.loss(target, target, TIMESTEPS) == 0
    for row, timestep in enumerate(TIMESTEPS[1:4], start=1):  # who predicts the target, finds the latents
        step = reference.step(target[row], timestep, noisy[row])
        torch.testing.assert_close(step.pred_original_sample, latents[0][row], rtol=1e-3, atol=1e-3)


def test_scheduler_of_stable_diffusion_predicts_noise() -> None:
    assert Objective(DDPMScheduler.from_config(SCHEDULER_CONFIG), 0).kind == "epsilon"
    with pytest.raises(ValueError, match="prediction_type is sample"):
        Objective(scheduler("sample"), 0)


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction"])
def test_weights_are_min_snr(kind: str) -> None:
    snr = compute_snr(scheduler(kind), torch.arange(1000))
    wanted = torch.minimum(snr, torch.tensor(5.0)) / (snr if kind == "epsilon" else snr + 1)
    torch.testing.assert_close(Objective(scheduler(kind), min_snr=5).weights, wanted, rtol=1e-4, atol=1e-7)
    assert torch.equal(Objective(scheduler(kind), min_snr=0).weights, torch.ones(1000))


def test_loss_weighs_each_row_by_its_timestep() -> None:
    objective = Objective(scheduler("epsilon"), min_snr=5)
    prediction = torch.tensor([1.0, 2.0])[:, None, None, None].expand(2, 4, 8, 8)
    timesteps = torch.tensor([10, 900])
    wanted = (1 * objective.weights[10] + 4 * objective.weights[900]) / 2
    torch.testing.assert_close(objective.loss(prediction, torch.zeros(2, 4, 8, 8), timesteps), wanted)


@torch.no_grad()
def test_context_is_that_of_the_encoder_that_is_served(start: Start) -> None:
    denoiser = Denoiser.load(start)
    served = IdentityEncoder(CLIPTextModel.from_pretrained(start.encoder), start.tokenizer)
    embeddings = F.normalize(torch.randn(3, 64, generator=torch.Generator().manual_seed(1)))
    context, negative = served(embeddings)
    ours = denoiser.context(embeddings, torch.tensor([True, False, True]))
    torch.testing.assert_close(ours[[0, 2]], context[[0, 2]], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(ours[1], negative[1], rtol=1e-5, atol=1e-5)
    assert (context[0] - context[2]).abs().max() > 0.1


def test_recomputed_activations_change_nothing(start: Start) -> None:
    random = torch.Generator().manual_seed(2)
    row = (
        torch.randn(2, 4, 8, 8, generator=random),
        torch.tensor([10, 700]),
        F.normalize(torch.randn(2, 64, generator=random)),
        torch.tensor([True, False]),
    )
    gradients = []
    for recompute in (False, True):
        denoiser = Denoiser.load(start).train()
        if recompute:
            denoiser.recompute_activations()
        denoiser(*row).square().mean().backward()
        gradients.append([parameter.grad for parameter in denoiser.parameters()])
    for kept, recomputed in zip(*gradients, strict=True):
        torch.testing.assert_close(recomputed, kept, rtol=1e-4, atol=1e-6)
    assert all(gradient.abs().max() > 0 for gradient in gradients[0])  # encoder and UNet, to the last bias


def test_average_is_its_closed_form_and_diffusers() -> None:
    network, decay = nn.Linear(1, 1, bias=False), 0.3
    average, reference = Average(network, decay), EMAModel(network.parameters(), decay=decay)
    values = [network.weight.item()]
    for value in (3.0, -2.0, 5.0, 11.0, 4.0):
        nn.init.constant_(network.weight, value)
        values.append(value)
        average.update(network)
        reference.step(network.parameters())
    decays = [0.1, 2 / 11, 3 / 12, 0.3, 0.3]
    wanted = values[0]
    for value, kept in zip(values[1:], decays, strict=True):
        wanted = kept * wanted + (1 - kept) * value
    assert average.weights["weight"].item() == pytest.approx(wanted, rel=1e-6)
    # With a constant decay: the sum of (1 - d) d^(n - k) x_k.
    late = Average(network, decay)
    late.updates, start = 100, network.weight.item()
    for value in values:
        nn.init.constant_(network.weight, value)
        late.update(network)
    count = len(values)
    closed = decay**count * start + sum(
        (1 - decay) * decay ** (count - 1 - k) * value for k, value in enumerate(values)
    )
    assert late.weights["weight"].item() == pytest.approx(closed, rel=1e-6)
