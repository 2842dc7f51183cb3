"""Somebody who looks at the page and uses it."""

import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, Response, expect

PATIENCE = 60_000  # milliseconds; what takes longer has hung
SEED = re.compile(r"^Seed (\d+)$")
BEGIN = re.compile("/v1/generations$")

# What nobody could follow by eye: where the bar was, which pictures were laid one over the other, what was forbidden.
RECORDER = """
globalThis.seen = { bar: [], layers: [], forbidden: [] };
const fingerprint = (image) => {
  const canvas = new OffscreenCanvas(8, 8);
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0, 8, 8);
  return context.getImageData(0, 0, 8, 8).data.join();
};
document.addEventListener('securitypolicyviolation', (event) => {
  seen.forbidden.push(`${event.violatedDirective} ${event.blockedURI}`);
});
new MutationObserver((records) => {
  for (const { type, target, addedNodes } of records) {
    if (type === 'attributes' && target instanceof HTMLProgressElement) {
      seen.bar.push(target.value);
    }
    for (const node of addedNodes) {
      if (node instanceof HTMLImageElement && target.matches('.picture')) {
        const portrait = [...target.closest('.portraits').children].indexOf(target.closest('.portrait'));
        seen.layers.push({ portrait, preview: node.matches('.preview'), fingerprint: fingerprint(node) });
      }
    }
  }
}).observe(document, { subtree: true, childList: true, attributeFilter: ['value'] });
"""


@dataclass(frozen=True)
class Shown:
    """A finished portrait, as the page shows and saves it."""

    seed: int
    likeness: str
    figure: str
    file_name: str
    file: bytes

    @property
    def pixels(self) -> np.ndarray:
        return pixels(self.file)


def pixels(file: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))


def picture(pixels: np.ndarray, name: str = "photo.png") -> FilePayload:
    """A file to choose, out of pixels [H,W,3]."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return FilePayload(name=name, mimeType="image/png", buffer=file.getvalue())


def is_cancel(response: Response) -> bool:
    return response.request.method == "DELETE"


class Visitor:
    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.complaints: list[str] = []
        self.expected: Sequence[str] = ()  # complaints that a test provokes, by a part of them
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on("console", lambda line: line.type == "error" and self.complaints.append(line.text))
        page.on("request", lambda request: self.check_address(request.url))

    def check_address(self, url: str) -> None:
        if not url.startswith((self.address, "blob:")):
            self.complaints.append(f"elsewhere: {url}")

    def open(self, fragment: str = "") -> None:
        self.page.goto(f"{self.address}{fragment}")

    def add_photo(self, photo: Path | FilePayload, well: int = 0) -> None:
        """Chooses a file, and returns when its faces are known, or that there are none."""
        self.choose_photo(photo, well)
        expect(self.found(well).or_(self.well(well).locator(".problem:not([hidden])"))).to_be_visible(
            timeout=PATIENCE
        )

    def choose_photo(self, photo: Path | FilePayload, well: int = 0) -> None:
        self.well(well).locator("input[type=file]").set_input_files(photo)

    def well(self, number: int = 0) -> Locator:
        return self.page.locator(".well").nth(number)

    def found(self, number: int = 0) -> Locator:
        return self.well(number).locator(".found:not([data-busy])").filter(has_text=re.compile("."))

    @property
    def generate(self) -> Locator:
        return self.page.locator("#generate")

    def run(self, number: int = 0) -> Locator:
        """The latest one is 0."""
        return self.page.locator(".run").nth(number)

    def draw(self) -> None:
        self.generate.click()
        self.await_finish()

    def await_finish(self, number: int = 0) -> None:
        expect(self.run(number).locator(".run-state")).to_contain_text("Finished", timeout=PATIENCE)

    def portraits(self, number: int = 0) -> list[Shown]:
        return [self.portrait(each) for each in self.run(number).locator(".portrait").all()]

    def portrait(self, portrait: Locator) -> Shown:
        with self.page.expect_download() as download:
            portrait.locator(".download").click()
        return Shown(
            int(SEED.match(portrait.locator(".seed").inner_text())[1]),
            portrait.locator(".likeness-words").inner_text(),
            portrait.locator(".likeness-figure").inner_text(),
            download.value.suggested_filename,
            Path(download.value.path()).read_bytes(),
        )

    def refuse(self, what: str, status: int, reason: str, times: int = 1) -> None:
        """The next requests whose address ends like this are answered with a problem, in the server's stead."""
        problem = {"status": status, "reason": reason}
        if status in (429, 503):
            problem["retryAfterSeconds"] = 1
        self.page.route(
            re.compile(f"{re.escape(what)}$"),
            lambda route: route.fulfill(
                status=status, content_type="application/problem+json", body=json.dumps(problem)
            ),
            times=times,
        )

    def assert_gone(self, cancelled: Response) -> None:
        """The server has heard that the generation is to end, and nothing is left of it."""
        assert cancelled.ok
        left = self.page.request.get(cancelled.url)
        assert left.json()["reason"] in ("CANCELLED", "GENERATION_NOT_FOUND")

    def seen(self) -> dict[str, Any]:
        return self.page.evaluate("() => seen")

    def violations(self) -> list[str]:
        """What axe-core finds to be wrong, badly."""
        found = self.page.evaluate("() => axe.run()")["violations"]
        return [
            f"{each['id']}: {node['html']}"
            for each in found
            if each["impact"] in ("serious", "critical")
            for node in each["nodes"]
        ]

    def overflow(self) -> int:
        """How much wider than the window the page is."""
        return self.page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )

    def assert_nothing_went_wrong(self) -> None:
        unexpected = [
            complaint
            for complaint in self.complaints
            if not any(expected in complaint for expected in self.expected)
        ]
        assert unexpected == []
        assert self.seen()["forbidden"] == []
