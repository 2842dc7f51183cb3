"""A generation that begins at one gateway and goes on at another one, with nothing between them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evaluation import api
from serving.gateway import Gateway
from serving.layout import TRITON_MODELS
from serving.triton import Options, Triton


@pytest.fixture(scope="module")
def targets(jar: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Two gateways before one Triton, with one key to bind receipts with."""
    folder = tmp_path_factory.mktemp("resume")
    key = folder / "identity.key"
    key.write_text("k" * 32)
    options = (f"-Darc2face.receipts.identity-key={key}",)
    with Triton(Options(run=folder / "triton")) as triton:
        target = f"{triton.listening.host}:{triton.listening.grpc}"
        with (
            Gateway(jar, target, folder / "one.log", java_options=options) as one,
            Gateway(jar, target, folder / "two.log", java_options=options) as two,
        ):
            yield f"{one.host}:{one.grpc_port}", f"{two.host}:{two.grpc_port}"


@pytest.mark.parametrize("seed", [{"seed": 7}, {}], ids=["seed", "no seed"])
@pytest.mark.parametrize("photo", [True, False], ids=["photo", "embedding"])
def test_cut_anywhere_it_goes_on_elsewhere(
    targets: tuple[str, str], seed: dict[str, int], photo: bool
) -> None:
    fields = identity(targets[0], photo) | seed
    name = f"resumed-{photo}-{'seed' in seed}"
    with api.Gateway(targets[0]) as first, api.Gateway(targets[1]) as second:
        uncut = list(first.generate(request(name, **fields)))
        assert len(uncut) > 8
        for cut in range(1, len(uncut)):
            with api.Gateway(targets[0]) as broken:
                call = broken.generate(request(name, **fields))
                seen = [next(call) for _ in range(cut)]
            rest = list(second.generate(request(name, after_sequence=seen[-1].sequence, **fields)))
            joined = seen + rest
            assert durable(joined) == durable(uncut), f"cut after {cut} events"
            numbers = [event.sequence for event in joined if not event.HasField("queued")]
            assert numbers == sorted(set(numbers))
            steps = [event.step_progress.step for event in joined if event.HasField("step_progress")]
            assert steps == sorted(steps)


def identity(target: str, photo: bool) -> dict[str, Any]:
    if photo:
        content = (TRITON_MODELS.parent / "samples" / "collins.png").read_bytes()
        return {"identity": api.message("IdentitySource", photo=content)}
    with api.Gateway(target) as gateway:
        info = gateway.unary("GetModelInfo", api.message("GetModelInfoRequest"))
    return {"identity": api.nobody(info)}


def request(name: str, **fields: Any) -> Any:
    return api.message("GenerateRequest", request_id=name, num_images=2, steps=4, preview_every=2, **fields)


def durable(events: list[Any]) -> list[Any]:
    """What may not be missing, without what a clock has to do with it."""
    kept = []
    for event in events:
        if event.WhichOneof("event") in ("accepted", "face_report", "image", "completed"):
            timeless = type(event).FromString(event.SerializeToString())
            if event.HasField("completed"):
                timeless.completed.ClearField("elapsed")
                timeless.completed.ClearField("timings")
            kept.append(timeless)
    return kept
