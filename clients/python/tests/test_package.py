"""The wheel, in an environment that has nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from conftest import ROOT

HERE = Path(__file__).resolve().parents[1]

PROGRAM = """
import sys
import arc2face
with arc2face.Client(sys.argv[1]) as client:
    for portrait in client.portraits(sys.argv[2], steps=2):
        portrait.save("portrait.png")
"""


@pytest.fixture(scope="module")
def wheel() -> Path:
    (wheel,) = (HERE / "dist").glob("*.whl")
    return wheel


def test_wheel_has_what_is_imported_and_nothing_else(wheel: Path) -> None:
    source = HERE / "src"
    here = {
        str(path.relative_to(source)) for path in source.rglob("*.py*") if "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as content:
        there = {name for name in content.namelist() if ".dist-info/" not in name}
        (licence,) = (name for name in content.namelist() if name.endswith("LICENSE"))
        assert content.read(licence) == (ROOT / "LICENSE").read_bytes()
    assert there == here | {"arc2face/py.typed"}
    assert "arc2face/v1/portrait_service_pb2.pyi" in there


def test_wheel_works_in_an_environment_of_its_own(
    wheel: Path, target: str, photo: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """What it depends on, pip finds out from the wheel."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv/bin/python"
    wheels = request.config.getoption("wheels")
    offline = [
        "--quiet",
        "--disable-pip-version-check",
        "--no-compile",
        "--no-index",
        f"--find-links={wheels}",
    ]
    subprocess.run([python, "-m", "pip", "install", *offline, wheel], check=True)
    run = [python, "-I", "-c", PROGRAM, target, photo]
    subprocess.run(run, cwd=tmp_path, check=True, timeout=60)
    assert (tmp_path / "portrait.png").stat().st_size > 1000
