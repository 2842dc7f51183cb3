"""Programs whose code is generated, in other languages: what they get are the same bytes."""

import subprocess
from pathlib import Path

import pytest

import arc2face
from conftest import ROOT

GO = ROOT / "clients/go/target/portraits"
TYPESCRIPT = ROOT / "clients/typescript/portraits.ts"


@pytest.mark.skipif(not GO.is_file(), reason="not built: `make test-client` does it where there is Go")
def test_go(target: str, photo: Path, tmp_path: Path) -> None:
    assert_same_bytes([str(GO), target], target, photo, tmp_path)
    refused = run([str(GO), target, str(ROOT / "README.md")], tmp_path)
    assert refused.returncode == 1
    assert "UNSUPPORTED_IMAGE_FORMAT" in refused.stderr


def test_typescript(target: str, photo: Path, tmp_path: Path) -> None:
    program = ["node", str(TYPESCRIPT), f"http://{target}"]
    assert_same_bytes(program, target, photo, tmp_path)
    refused = run([*program, str(ROOT / "README.md")], tmp_path)
    assert refused.returncode == 1
    assert "InvalidArgument" in refused.stderr


def assert_same_bytes(program: list[str], target: str, photo: Path, folder: Path) -> None:
    ended = run([*program, str(photo)], folder)
    assert ended.returncode == 0, ended.stderr
    assert "step 4 of 4" in ended.stdout
    with arc2face.Client(target) as client:
        portraits = client.portraits(photo, num_images=2, steps=4, seed=7)
    assert {path.name: path.read_bytes() for path in folder.glob("*.png")} == {
        f"{portrait.seed}.png": portrait.data for portrait in portraits
    }


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
