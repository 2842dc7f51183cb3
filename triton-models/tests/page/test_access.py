"""For everybody: keyboard, screen reader, dark mode, phone; and pictures of it all to look at."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Request, expect

from tests.page.visitor import PATIENCE, Visitor, is_cancel, picture
from tests.pictures import SAMPLE, portrait, squares

Visit = Callable[..., Visitor]

PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
# What is put into the banner, and so read out, with each change of it.
SAID_OF_OUTAGE = """
globalThis.said = [];
new MutationObserver((records) => {
  const changes = records.filter(({ target }) => target instanceof Element && target.matches('.problem-title'));
  said.push(...changes.filter(({ target }) => target.closest('#outage')).map(({ target }) => target.textContent));
}).observe(document, { subtree: true, childList: true });
"""

DESKTOP = {"viewport": {"width": 1280, "height": 900}}
LOOKS = {
    "phone": PHONE,
    "desktop": DESKTOP,
    "desktop-dark": DESKTOP | {"color_scheme": "dark"},
}


@pytest.mark.parametrize("look", LOOKS)
def test_nothing_is_in_anybodys_way(visit: Visit, look: str, out: Path) -> None:
    """axe-core finds nothing serious, nothing is wider than the window; screenshots are left in out/page."""
    visitor = visit("#numImages=4&seed=7&steps=30", **LOOKS[look], reduced_motion="reduce")
    expect(visitor.page.locator("#served")).to_contain_text("mini")
    inspect(visitor, out / f"{look}-1-start.png")

    visitor.add_photo(picture(squares()["sizes"]))
    inspect(visitor, out / f"{look}-2-faces.png")

    visitor.well().get_by_role("button", name="Remove").click()
    visitor.add_photo(SAMPLE)
    visitor.generate.click()
    expect(visitor.run().locator(".portrait:not([data-state=expected])")).to_have_count(4)
    visitor.page.screenshot(path=out / f"{look}-3-drawing.png", full_page=True)
    visitor.await_finish()
    visitor.page.locator(".settings > summary").click()
    inspect(visitor, out / f"{look}-4-finished.png")

    visitor.page.get_by_text("Mix two").click()
    visitor.add_photo(picture(portrait()[:, ::-1]), well=1)
    inspect(visitor, out / f"{look}-5-mix.png")
    visitor.page.get_by_text("Compare", exact=True).click()
    expect(visitor.page.locator(".comparison-result")).to_contain_text("Similarity")
    inspect(visitor, out / f"{look}-6-compare.png")


def inspect(visitor: Visitor, screenshot: Path) -> None:
    visitor.page.screenshot(path=screenshot, full_page=True)
    assert visitor.violations() == []
    assert visitor.overflow() == 0


def test_error_and_dialog_can_be_read_by_everybody(visit: Visit, out: Path) -> None:
    visitor = visit(**DESKTOP, permissions=["camera"], reduced_motion="reduce")
    visitor.expected = ("400", "503")
    visitor.add_photo(picture(squares()["suit"]))
    inspect(visitor, out / "desktop-7-no-face.png")
    visitor.refuse("/v1/faces:detect", 503, "QUEUE_FULL")
    visitor.add_photo(SAMPLE)
    inspect(visitor, out / "desktop-9-busy.png")
    visitor.well().get_by_role("button", name="Remove").click()
    visitor.well().get_by_role("button", name="Use the camera").click()
    expect(visitor.page.get_by_role("button", name="Take the photo")).to_be_enabled()
    inspect(visitor, out / "desktop-8-camera.png")


def test_keyboard_is_enough(visit: Visit) -> None:
    visitor = visit("#numImages=4&steps=100")
    page = visitor.page
    expect(page.locator("#served")).to_contain_text("mini")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the portraits")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("One person")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_label("Mix two")).to_be_checked()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Tab")
    expect(visitor.well().locator("input[type=file]")).to_be_focused()

    visitor.add_photo(picture(squares()["four"]))
    expect(visitor.well().get_by_role("button", name="Remove")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    before = checked(visitor)
    page.keyboard.press("ArrowRight")
    assert checked(visitor) != before

    visitor.generate.focus()
    page.keyboard.press("Enter")
    expect(visitor.run().locator("h2")).to_be_focused()
    page.keyboard.press("Tab")
    expect(visitor.run().get_by_role("button", name="Cancel")).to_be_focused()
    expect(visitor.run().locator(".run-state")).to_contain_text("Step ")
    with page.expect_response(is_cancel) as cancelled:
        page.keyboard.press("Enter")
    expect(page.locator("#announcements")).to_have_text("Cancelled.")
    expect(visitor.run().locator("h2")).to_be_focused()
    visitor.assert_gone(cancelled.value)


def test_small_face_can_be_touched(visit: Visit) -> None:
    """At 11 pixels from its middle, of a group on a phone (WCAG 2.5.8); of a touch browsers would take the nearest."""
    visitor = visit("#mode=mix", **PHONE)
    visitor.add_photo(picture(squares()["sizes"]))
    marks = visitor.well().locator(".face:has(input:enabled)").all()
    smallest = min(marks, key=lambda mark: mark.bounding_box()["width"])
    box = smallest.bounding_box()
    assert box["width"] < 20, "no face is too small to touch"
    expect(smallest.locator("input")).not_to_be_checked()
    visitor.page.mouse.click(box["x"] + box["width"] / 2 - 11, box["y"] + box["height"] / 2)
    expect(smallest.locator("input")).to_be_checked()


def test_outage_is_said_once_and_leaves_the_focus_in_the_page(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    visitor.expected = ("503",)
    expect(page.locator("#served")).to_contain_text("mini")
    asked: list[Request] = []
    page.on("request", lambda request: request.url.endswith("/v1/model") and asked.append(request))
    page.add_init_script(SAID_OF_OUTAGE)
    visitor.refuse("/v1/model", 503, "SHUTTING_DOWN", times=2)
    page.reload()
    outage = page.locator("#outage")
    expect(outage).to_contain_text("The server is being restarted.")
    outage.get_by_role("button", name="Try again").focus()
    expect(outage).to_be_hidden(timeout=PATIENCE)  # the page asks again by itself
    assert len(asked) == 3
    said = page.evaluate("() => said")
    assert said.count("The server is being restarted.") == 1
    expect(page.get_by_role("form", name="What to draw")).to_be_focused()


def checked(visitor: Visitor) -> str:
    return visitor.well().locator(".face input:checked").input_value()


def test_what_happens_is_said_but_not_every_step(visit: Visit) -> None:
    visitor = visit("#numImages=1&steps=20")
    visitor.page.evaluate(
        """() => {
            globalThis.said = [];
            const place = document.querySelector('#announcements');
            new MutationObserver(() => said.push(place.textContent)).observe(place, { childList: true });
        }"""
    )
    visitor.add_photo(SAMPLE)
    visitor.draw()
    said: list[Any] = visitor.page.evaluate("() => said")
    assert said[-1] == "One portrait finished."
    assert "50 percent drawn." in said
    assert len(said) < 12
