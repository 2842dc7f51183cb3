"""What somebody who waits sees."""

import builtins
import io
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from arc2face import v1
from arc2face.progress import Progress
from arc2face.request import GenerateOptions
from arc2face.values import event_of


def picture(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(file, "PNG")
    return file.getvalue()


RED, BLUE = picture("red"), picture("blue")
SAID = [
    v1.GenerateResponse(accepted=v1.Accepted(num_images=2)),
    v1.GenerateResponse(queued=v1.Queued(position=3)),
    v1.GenerateResponse(step_progress=v1.StepProgress(step=2, total_steps=16)),
    v1.GenerateResponse(preview=v1.Preview(image_index=1, jpeg=RED, width=8, height=8)),
    v1.GenerateResponse(step_progress=v1.StepProgress(step=4, total_steps=16)),
    v1.GenerateResponse(image=v1.PortraitImage(image_index=0, data=BLUE, width=8, height=8)),
    v1.GenerateResponse(image=v1.PortraitImage(image_index=1, data=BLUE, width=8, height=8)),
    v1.GenerateResponse(completed=v1.Completed()),
]


def show(wanted: bool | None) -> GenerateOptions:
    options = GenerateOptions()
    with Progress(wanted) as progress:
        progress.choose_previews(options)
        for response in SAID:
            progress.show(event_of(response))
    return options


def test_bar_shows_queue_and_steps(capsys: pytest.CaptureFixture[str]) -> None:
    assert show(True) == {"preview_every": 0}
    shown = capsys.readouterr().err
    assert "place 3 in the queue" in shown
    assert "100%" in shown.split("\r")[-1]  # though there might have been more attempts
    assert "4/4" in shown.split("\r")[-1]


def test_nothing_is_shown_where_nobody_looks_on(capsys: pytest.CaptureFixture[str]) -> None:
    for wanted in (None, False):
        show(wanted)
        assert capsys.readouterr() == ("", "")


def test_without_tqdm_there_is_no_bar(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    importing = builtins.__import__

    def refusing(name: str, *rest: Any) -> Any:
        if name.startswith("tqdm"):
            raise ImportError(name)
        return importing(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refusing)
    show(None)
    assert capsys.readouterr() == ("", "")
    with pytest.raises(ImportError, match=r"arc2face\[progress\]"):
        show(True)


def test_in_a_notebook_previews_become_portraits(monkeypatch: pytest.MonkeyPatch) -> None:
    sheets: list[Image.Image] = []

    def display(sheet: Image.Image, display_id: bool) -> Any:
        assert display_id
        sheets.append(sheet)
        return SimpleNamespace(update=sheets.append)

    notebook, output = ModuleType("IPython"), ModuleType("IPython.display")
    notebook.get_ipython = lambda: SimpleNamespace(kernel=object())  # type: ignore[attr-defined]
    output.display = display  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", notebook)
    monkeypatch.setitem(sys.modules, "IPython.display", output)
    assert show(None) == {}  # the server's own choice of previews
    tiles = [[sheet.getpixel((x, 50)) for x in (50, 250)] for sheet in sheets]
    white, red, blue = (255, 255, 255), (255, 0, 0), (0, 0, 255)
    assert tiles == [[white, red], [blue, red], [blue, blue]]
