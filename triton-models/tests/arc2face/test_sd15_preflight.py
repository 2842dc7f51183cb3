"""What would make a training fail must be said before it starts."""

import shutil
from pathlib import Path

import pytest

from export.arc2face.layout import MissingFilesError
from export.arc2face.preflight import GIGABYTE, UnfitError
from tests.arc2face import faces_to_train_on as faces
from training.sd15 import __main__ as command
from training.sd15 import preflight, recipe, shards
from training.sd15.memory import Demand
from training.sd15.preflight import Device
from training.sd15.recipe import RecipeError
from training.sd15.weights import Start

FULL_UNET = 3_438_167_536  # bytes of Stable Diffusion v1-5's UNet in FP32
OLD_GPU = Device("cuda", bf16=False, free=int(15e9))
CPU = Device("cpu", bf16=True, free=int(16e9))


def test_stages_are_arc2faces() -> None:
    web, portraits = recipe.load("web"), recipe.load("portraits")
    assert (web.resolution, web.epochs, web.batch) == (448, 5, 32)
    assert (portraits.resolution, portraits.epochs, portraits.batch) == (512, 15, 32)
    for stage in (web, portraits):
        assert stage.unet_learning_rate == stage.encoder_learning_rate == 1e-6
        assert (stage.precision, stage.min_snr, stage.unconditional) == ("bf16", 0, 0.1)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("rate = 1", "there is no setting rate"),
        ('batch = "32"', "batch = '32' is not of type int"),
        ("resolution = 500", "resolution = 500 is not a multiple of 64"),
        ('precision = "tf32"', "precision = 'tf32' is not one of bf16, fp16, fp32"),
        ("unconditional = 1", "unconditional = 1 is not in 0..1"),
        ("seed = ", "is not TOML"),
    ],
)
def test_recipe_that_cannot_be_says_why(tmp_path: Path, line: str, fault: str) -> None:
    settings = {"epochs": 1, "resolution": 512, "batch": 32}
    settings |= {"unet_learning_rate": 1e-6, "encoder_learning_rate": 1e-6}
    settings.pop(line.split(" = ")[0], None)
    path = tmp_path / "recipe.toml"
    path.write_text("\n".join([*(f"{name} = {value}" for name, value in settings.items()), line]))
    with pytest.raises(RecipeError, match=fault):
        recipe.load(str(path))
    with pytest.raises(RecipeError, match="neither a file nor one of portraits, web"):
        recipe.load("huge")
    path.write_text("epochs = 1")
    with pytest.raises(RecipeError, match=r"is not complete: .*resolution"):
        recipe.load(str(path))


def test_learning_rate_grows_and_stays() -> None:
    grown = [recipe.load("web").rate_factor(step) for step in (0, 249, 499, 500, 10**6)]
    assert grown == [1 / 500, 0.5, 1, 1, 1]


def test_missing_weights_are_named(start: Start, tmp_path: Path) -> None:
    with pytest.raises(MissingFilesError, match=r"lacks stable-diffusion-v1-5/unet/config\.json"):
        preflight.check_start(tmp_path)
    copy = Path(shutil.copytree(start.root, tmp_path / "copy"))
    (copy / "antelopev2" / "arcface.onnx").unlink()
    shutil.rmtree(copy / "stable-diffusion-v1-5" / "text_encoder")
    with pytest.raises(MissingFilesError, match=r"text_encoder/config\.json.*antelopev2/arcface\.onnx"):
        preflight.check_start(copy)


def test_whole_start_passes_and_may_not_be_written_to(start: Start) -> None:
    assert preflight.check_start(start.root) == start
    with pytest.raises(UnfitError, match="needs a folder of its own"):
        preflight.check_out(start.root, start.root)


def test_embeddings_of_another_recogniser_are_refused(tmp_path: Path) -> None:
    found = shards.find(faces.write(tmp_path / "shards"), tmp_path / "index.npz")
    preflight.check_embeddings(found, faces.EMBEDDING)
    with pytest.raises(
        UnfitError, match=r"faces-0\.tar: its embeddings are \[64\], the recogniser's are \[512\]"
    ):
        preflight.check_embeddings(found, 512)
    found.places[6, 3] += 64
    with pytest.raises(UnfitError, match=r"faces-1\.tar, the sample at byte"):
        preflight.check_embeddings(found, faces.EMBEDDING)


def test_precision_has_to_be_the_machines() -> None:
    preflight.check_precision("bf16", CPU)
    preflight.check_precision("fp16", OLD_GPU)
    with pytest.raises(UnfitError, match=r"does not compute in bf16.*precision = \"fp16\""):
        preflight.check_precision("bf16", OLD_GPU)
    with pytest.raises(UnfitError, match="fp16 needs a GPU"):
        preflight.check_precision("fp16", CPU)


def test_batch_has_to_divide() -> None:
    preflight.check_division(recipe.load("web"), rows=4, processes=8)
    with pytest.raises(UnfitError, match="8 processes with 3 rows at a time: --rows can be 1, 2, 4"):
        preflight.check_division(recipe.load("web"), rows=3, processes=8)
    with pytest.raises(UnfitError, match="use fewer processes"):
        preflight.check_division(recipe.load("web"), rows=1, processes=7)


def test_too_little_memory_is_said_with_what_is_needed() -> None:
    demand = Demand.of(FULL_UNET, recipe.load("portraits"), recompute=True)
    # 983 M weights of 22 bytes are 21.6 GB.
    assert 22 * GIGABYTE < demand.total(1) < demand.total(4) < 28 * GIGABYTE
    assert Demand.of(FULL_UNET, recipe.load("portraits"), recompute=False).per_row > 4 * demand.per_row
    assert Demand.of(FULL_UNET, recipe.load("web"), recompute=True).per_row < demand.per_row
    preflight.check_memory(demand, 4, Device("cuda", True, 40 * GIGABYTE), 1)
    with pytest.raises(UnfitError, match=r"too little memory: 2\d\.\d GB needed .* 15\.0 GB free"):
        preflight.check_memory(demand, 4, OLD_GPU, 1)
    with pytest.raises(UnfitError, match="times 2 processes"):
        preflight.check_memory(demand, 4, Device("cpu", True, 40 * GIGABYTE), 2)


def test_command_tells_the_fault_and_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = [
        "--recipe",
        "web",
        "--source",
        str(tmp_path),
        "--data",
        str(tmp_path),
        "--out",
        str(tmp_path / "o"),
    ]
    monkeypatch.setattr("sys.argv", ["training.sd15", *options])
    with pytest.raises(SystemExit, match=r"error: .* lacks stable-diffusion-v1-5"):
        command.main()
    monkeypatch.setattr("sys.argv", ["training.sd15", "--recipe", "none", *options[2:]])
    with pytest.raises(SystemExit, match="error: there is no recipe none"):
        command.main()
