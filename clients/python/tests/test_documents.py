"""The examples in the documents and the notebook, as they stand."""

import ast
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from conftest import ROOT

NOTEBOOK = ROOT / "clients/python/examples/portraits.ipynb"
WITHOUT_SERVER = "portraits.example.org"  # what this stands for is not here


def blocks(document: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", document.read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture
def here(target: str, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A working directory with photos, and the server where the examples look for one."""
    shutil.copy(photo, tmp_path / "face.jpg")
    Image.new("RGB", (200, 200), "green").save(tmp_path / "tree.jpg")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARC2FACE_TARGET", target)
    monkeypatch.setattr("PIL.Image.Image.show", lambda _: None)
    return {"__name__": "__main__"}


@pytest.mark.parametrize("document", ["clients/python/README.md", "docs/python.md"])
def test_examples_run(document: str, here: dict[str, Any], target: str) -> None:
    ran = 0
    for block in blocks(ROOT / document):
        code = block.replace('"127.0.0.1:9090"', repr(target))
        tree = ast.parse(code)
        if WITHOUT_SERVER not in code:
            exec(compile(tree, document, "exec"), here)
            ran += 1
    assert ran >= 2
    assert Path("1.png").is_file()


def test_notebook_runs(
    here: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(NOTEBOOK.parent)  # where Jupyter starts it
    for cell in json.loads(NOTEBOOK.read_text())["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            exec(compile("".join(cell["source"]), str(NOTEBOOK), "exec"), here)
    assert len(here["portraits"]) == 4
    assert "InvalidArgumentError" not in capsys.readouterr().out  # but one of its kinds
