"""What was released stays: `make lint` refuses a change of the API that breaks its clients."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUF = Path(sys.executable).with_name("buf")
SERVICE = "arc2face/v1/portrait_service.proto"


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A copy of all that buf reads."""
    shutil.copy(ROOT / "buf.yaml", tmp_path)
    shutil.copytree(ROOT / "proto", tmp_path / "proto")
    shutil.copytree(ROOT / ".cache/proto-deps", tmp_path / ".cache/proto-deps")
    return tmp_path


def breaks(root: Path) -> str:
    """What breaks clients, in buf's words; empty where nothing does."""
    (released,) = (root / "proto/released").iterdir()
    command = [BUF, "breaking", "proto", "--against", released]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert ended.returncode == (100 if ended.stdout else 0), ended.stderr
    return ended.stdout


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("optional uint32 seed = 6 [", "optional uint32 seed = 60 [", '"6" with name "seed"'),
        ("uint32 unet_calls = 3;", "uint64 unet_calls = 3;", "unet_calls"),
        ("  IMAGE_FORMAT_JPEG = 2;", "  IMAGE_FORMAT_JPG = 2;", "IMAGE_FORMAT_JPG"),
        ("rpc EmbedFace(", "rpc Embed(", "EmbedFace"),
        ("returns (stream GenerateResponse)", "returns (GenerateResponse)", "Generate"),
    ],
    ids=["number", "type", "name", "method", "stream"],
)
def test_change_that_breaks_clients_is_refused(scratch: Path, before: str, after: str, said: str) -> None:
    file = scratch / "proto" / SERVICE
    text = file.read_text()
    assert text.count(before) == 1
    file.write_text(text.replace(before, after))
    assert said in breaks(scratch)


def test_addition_is_not_refused(scratch: Path) -> None:
    file = scratch / "proto" / SERVICE
    text = file.read_text()
    file.write_text(text.replace("message Queued {", "message Queued {\n  uint32 callers = 99;"))
    assert breaks(scratch) == ""
