"""What would make an export fail must be said before it starts."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file

from export.arc2face import preflight
from export.arc2face.layout import WEIGHTS, Layout, MissingFilesError


@pytest.fixture
def layout(published: Path, tmp_path: Path) -> Layout:
    """A copy that may be changed."""
    return Layout(shutil.copytree(published, tmp_path / "published"))


def check(layout: Layout) -> None:
    preflight.check_networks(layout, preflight.embedding_size(layout))


def test_every_missing_file_is_named(layout: Layout) -> None:
    (layout.unet / "config.json").unlink()
    layout.encoder_weights.unlink()
    with pytest.raises(MissingFilesError, match=r"arc2face/config\.json, encoder/pytorch_model\.bin"):
        Layout.find(layout.root)


def test_encoder_may_have_been_converted(layout: Layout) -> None:
    state = torch.load(layout.encoder_weights, weights_only=True)
    layout.encoder_weights.unlink()
    save_file(state, layout.encoder / "model.safetensors")
    check(layout)


def test_published_names_of_the_autoencoders_attention_are_known(layout: Layout) -> None:
    state = load_file(layout.vae / WEIGHTS)
    names = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    for new, old in names.items():
        state = {name.replace(f".{new}.", f".{old}."): weight for name, weight in state.items()}
    save_file(state, layout.vae / WEIGHTS)
    check(layout)


def test_networks_that_do_not_fit_together_are_refused(layout: Layout) -> None:
    change(layout.encoder / "config.json", hidden_size=128, hidden_act="gelu")
    change(layout.vae / "config.json", sample_size=256)
    with pytest.raises(preflight.UnfitError) as error:
        check(layout)
    for fault in (
        "cross_attention_dim is 96, needed is 128",
        "hidden_act is 'gelu', needed is 'quick_gelu'",
        "sample_size is 256, needed is 128",
    ):
        assert fault in str(error.value)


def test_weights_of_another_shape_are_refused(layout: Layout) -> None:
    state = load_file(layout.unet / WEIGHTS)
    state["conv_in.weight"] = state["conv_in.weight"][:, :3].contiguous()
    state["surplus"] = state.pop("conv_out.bias")
    save_file(state, layout.unet / WEIGHTS)
    with pytest.raises(preflight.UnfitError) as error:
        check(layout)
    assert "lacks conv_out.bias" in str(error.value)
    assert "has, beyond its config.json, surplus" in str(error.value)
    assert "conv_in.weight [32, 3, 3, 3] instead of [32, 4, 3, 3]" in str(error.value)


def test_too_little_room_is_said_with_what_is_needed(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    preflight.check_room(layout, tmp_path / "out", "fp32", unets=1)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1e6))
    monkeypatch.setattr(preflight.psutil, "virtual_memory", lambda: SimpleNamespace(available=2e8))
    with pytest.raises(
        preflight.UnfitError, match=r"disk: 0\.1 GB needed, 0\.0 GB free.*memory: 1\.5 GB needed, 0\.2"
    ):
        preflight.check_room(layout, tmp_path / "out", "fp32", unets=1)


def change(path: Path, **settings: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))
