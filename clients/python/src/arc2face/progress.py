"""What somebody who waits for portraits sees: a bar by tqdm, and in a notebook previews that become portraits."""

import sys
import time
from types import TracebackType
from typing import Any

from PIL import Image

from arc2face.request import GenerateOptions
from arc2face.values import Accepted, Completed, Event, Portrait, Preview, Queued, StepProgress

_TILE = 192  # pixels
_COLUMNS = 4
_REDRAW_SECONDS = 0.1


class Progress:
    """A context manager that shows the events of a generation.

    wanted: None shows what can be shown where somebody looks on; True insists on tqdm; False shows nothing.
    """

    def __init__(self, wanted: bool | None) -> None:
        self._bar = _bar(wanted)
        self._sheet = _Sheet() if wanted is not False and _in_notebook() else None

    def choose_previews(self, options: GenerateOptions) -> None:
        """Previews that nobody sees are not asked for, unless somebody says so."""
        if self._sheet is None:
            options.setdefault("preview_every", 0)

    def show(self, event: Event) -> None:
        """Takes the next event."""
        if self._bar is not None:
            _advance(self._bar, event)
        if self._sheet is not None:
            self._sheet.show(event)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()


def _bar(wanted: bool | None) -> Any:
    if wanted is False:
        return None
    try:
        from tqdm.auto import tqdm
    except ImportError:
        if wanted:
            raise ImportError("progress needs tqdm: pip install 'arc2face[progress]'") from None
        return None
    disable = False if wanted else None  # None: where it is no terminal
    return tqdm(desc="portraits", unit=" steps", disable=disable)


def _advance(bar: Any, event: Event) -> None:
    match event:
        case Queued():
            bar.set_postfix_str(f"place {event.position} in the queue")
        case StepProgress():
            bar.total = event.total_steps
            bar.set_postfix_str("", refresh=False)
            bar.update(event.step - bar.n)
        case Completed():
            bar.total = bar.n  # fewer attempts than there might have been
            bar.refresh()


class _Sheet:
    """The pictures side by side, in one output that is redrawn."""

    def __init__(self) -> None:
        self._tiles: dict[int, Image.Image] = {}
        self._count = 1
        self._output: Any = None
        self._drawn = 0.0

    def show(self, event: Event) -> None:
        match event:
            case Accepted():
                self._count = event.num_images
            case Preview() | Portrait():
                self._tiles[event.image_index] = event.image.resize(
                    (_TILE, _TILE * event.height // event.width)
                )
                if isinstance(event, Portrait) or time.monotonic() - self._drawn > _REDRAW_SECONDS:
                    self._draw()

    def _draw(self) -> None:
        from IPython.display import display

        self._drawn = time.monotonic()
        if self._output is None:
            self._output = display(self.picture(), display_id=True)
        else:
            self._output.update(self.picture())

    def picture(self) -> Image.Image:
        """All tiles that there are."""
        height = max(tile.height for tile in self._tiles.values())
        columns = min(self._count, _COLUMNS)
        rows = -(-self._count // columns)
        sheet = Image.new("RGB", (columns * _TILE, rows * height), "white")
        for index, tile in self._tiles.items():
            sheet.paste(tile, (index % columns * _TILE, index // columns * height))
        return sheet


def _in_notebook() -> bool:
    """Whether outputs can be redrawn. What has not been imported does not run this program."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return hasattr(shell, "kernel")
