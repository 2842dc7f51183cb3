"""The page in a real browser: a photo goes in, and portraits of that person appear."""

import base64
import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from evaluation import api
from serving.gateway import Gateway
from tests.page.visitor import BEGIN, Visitor, is_cancel, picture, pixels
from tests.pictures import SAMPLE, portrait, squares

Visit = Callable[..., Visitor]

# Keeps what the browser lends to the page, which gets it once `lent` says so.
WATCH_CAMERAS = """() => {
  globalThis.cameras = [];
  globalThis.lent = Promise.resolve();
  const lend = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await lend(wanted);
    cameras.push(...stream.getTracks());
    await lent;
    return stream;
  };
}"""
CAMERAS = "() => cameras.map(({ readyState }) => readyState)"


def test_photo_becomes_portraits_before_ones_eyes(visit: Visit, client: api.Gateway, out: Path) -> None:
    visitor = visit("#numImages=2&seed=7&steps=12")
    visitor.add_photo(SAMPLE)
    expect(visitor.found()).to_have_text("One face found.")
    visitor.draw()

    seen = visitor.seen()
    assert seen["bar"] == sorted(seen["bar"]), "the bar went back"
    assert len(set(seen["bar"])) >= 12
    for number in range(2):
        previews = [
            each["fingerprint"] for each in seen["layers"] if each["portrait"] == number and each["preview"]
        ]
        assert len(set(previews)) >= 3, "the previews did not change"

    threshold = client.unary("GetModelInfo", api.message("GetModelInfoRequest")).same_person_threshold
    shown = visitor.portraits()
    images = generated(client, seed=7, num_images=2, steps=12)
    for portrait_shown, image in zip(shown, images, strict=True):
        assert portrait_shown.seed == image.seed
        assert np.array_equal(portrait_shown.pixels, pixels(image.data))
        similarity = image.identity_score.similarity
        assert portrait_shown.figure == f"{similarity:.2f}"
        same = portrait_shown.likeness in ("Same person", "Very alike")
        assert same == (similarity >= threshold)

    for finished in visitor.run().locator(".portrait").all():  # what is shown can be saved, too
        address = finished.locator(".download").get_attribute("href")
        expect(finished.locator(".picture img:last-child")).to_have_attribute("src", address)

    first_event = visitor.page.evaluate("() => performance.getEntriesByName('first event')[0].duration")
    (out / "first-event.json").write_text(json.dumps({"milliseconds_to_first_event": round(first_event, 1)}))


def test_face_that_is_picked_is_the_one_drawn(visit: Visit, client: api.Gateway) -> None:
    four = picture(squares()["sizes"])
    visitor = visit("#numImages=1&seed=3&steps=4")
    visitor.add_photo(four)
    faces = client.unary("DetectFaces", api.message("DetectFacesRequest", photo=four["buffer"])).faces
    expect(visitor.found()).to_have_text(f"{len(faces)} faces found: pick one.")
    largest = max(faces, key=lambda face: (face.right - face.left) * (face.bottom - face.top))
    marks = visitor.well().locator(".face input")
    assert [int(mark.input_value()) for mark in marks.all() if mark.is_checked()] == [largest.index]

    other = next(face for face in faces if face.index != largest.index)  # the surest one
    mark = visitor.well().locator(f".face:has(input[value='{other.index}'])")
    box, frame = mark.bounding_box(), visitor.well().locator(".frame img").bounding_box()
    assert box["x"] - frame["x"] == pytest.approx(other.left * frame["width"] / 320, abs=1)
    assert box["height"] == pytest.approx((other.bottom - other.top) * frame["height"] / 320, abs=1)
    mark.click()
    visitor.draw()

    photo = api.message("IdentitySource", photo=four["buffer"], face_index=other.index)
    (image,) = generated(client, identity=photo, seed=3, steps=4)
    assert np.array_equal(visitor.portraits()[0].pixels, pixels(image.data))


def test_photo_without_a_face_says_so(visit: Visit) -> None:
    visitor = visit()
    visitor.expected = ("400",)
    visitor.add_photo(picture(squares()["suit"]))
    expect(visitor.well().get_by_role("alert")).to_contain_text("No face found in this photo.")
    expect(visitor.well().get_by_role("alert")).to_contain_text("Try one in which the face is larger")
    expect(visitor.well().get_by_role("button", name="Try again")).to_be_hidden()
    expect(visitor.generate).to_be_disabled()
    visitor.well().get_by_role("button", name="Remove").click()
    expect(visitor.well().get_by_role("alert")).to_be_hidden()
    visitor.add_photo(SAMPLE)
    expect(visitor.generate).to_be_enabled()


def test_file_that_is_no_photo_says_so(visit: Visit) -> None:
    visitor = visit()
    visitor.add_photo({"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": SAMPLE.read_bytes()[:200]})
    expect(visitor.well().get_by_role("alert")).to_contain_text("This photo cannot be read.")


def test_cancel_ends_it_here_and_on_the_server(visit: Visit) -> None:
    visitor = visit("#numImages=4&steps=100")
    visitor.add_photo(SAMPLE)
    with visitor.page.expect_response(BEGIN) as accepted:
        visitor.generate.click()
    where = accepted.value.header_value("location")
    expect(visitor.run().locator(".run-state")).to_contain_text("Step ")
    with visitor.page.expect_response(is_cancel) as cancelled:
        visitor.run().get_by_role("button", name="Cancel").click()
    expect(visitor.run().locator(".run-state")).to_contain_text("Cancelled after")
    expect(visitor.generate).to_be_enabled()
    assert cancelled.value.url.endswith(where)
    visitor.assert_gone(cancelled.value)


def test_cancel_reaches_a_server_that_learns_of_it_late(visit: Visit, address: str) -> None:
    visitor = visit("#numImages=1")
    visitor.expected = ("404",)
    visitor.add_photo(SAMPLE)
    visitor.page.route(BEGIN, lambda route: None)  # it is on its way
    visitor.generate.click()
    with visitor.page.expect_response(is_cancel) as early:
        visitor.run().get_by_role("button", name="Cancel").click()
    assert early.value.status == 404
    arriving = {
        "requestId": early.value.url.rpartition("/")[2],
        "identity": {"photo": base64.b64encode(SAMPLE.read_bytes()).decode()},
        "steps": 100,
        "onDisconnect": "ON_DISCONNECT_FINISH",
    }
    with visitor.page.expect_response(lambda response: is_cancel(response) and response.ok) as late:
        assert visitor.page.request.post(f"{address}v1/generations", data=arriving).status == 202
    visitor.assert_gone(late.value)


def test_more_like_this_is_the_same_person_from_other_seeds(visit: Visit) -> None:
    visitor = visit("#numImages=2&seed=7&steps=4")
    visitor.add_photo(SAMPLE)
    visitor.draw()
    visitor.well().get_by_role("button", name="Remove").click()
    visitor.run().get_by_role("button", name="More like this: portrait 2").click()
    expect(visitor.run().locator("h2")).to_have_text("2 portraits more like portrait 2")
    visitor.await_finish()
    more, before = visitor.portraits(0), visitor.portraits(1)
    assert {each.seed for each in more}.isdisjoint(each.seed for each in before)

    visitor.run(0).locator(".seed").first.click()
    visitor.page.locator(".settings > summary").click()
    expect(visitor.page.locator("#seed")).to_have_value(str(more[0].seed))


def test_two_people_are_mixed_from_one_to_the_other(visit: Visit, client: api.Gateway) -> None:
    other = picture(portrait()[20:276, 351:95:-1])
    visitor = visit("#mode=mix&numImages=3&walk=1&seed=5&steps=4")
    visitor.add_photo(SAMPLE, well=0)
    visitor.add_photo(other, well=1)
    visitor.draw()

    ends = {
        "first": api.message("IdentitySource", photo=SAMPLE.read_bytes()),
        "second": api.message("IdentitySource", photo=other["buffer"]),
    }
    between = api.message("Interpolation", t=[0, 0.5, 1], **ends)
    images = generated(
        client,
        identity=api.message("IdentitySource", interpolation=between),
        seed=5,
        num_images=3,
        steps=4,
    )
    for shown, image in zip(visitor.portraits(), images, strict=True):
        assert np.array_equal(shown.pixels, pixels(image.data))


def test_two_photos_are_compared(visit: Visit, client: api.Gateway) -> None:
    other = picture(portrait()[:, ::-1])
    visitor = visit("#mode=compare")
    visitor.add_photo(SAMPLE, well=0)
    visitor.add_photo(other, well=1)
    request = api.message(
        "CompareFacesRequest",
        first=api.message("IdentitySource", photo=SAMPLE.read_bytes()),
        second=api.message("IdentitySource", photo=other["buffer"]),
    )
    similarity = client.unary("CompareFaces", request).similarity
    result = visitor.page.locator(".comparison-result")
    expect(result).to_contain_text("The same person")
    expect(result).to_contain_text(f"Similarity {similarity:.2f}")


def test_server_that_is_busy_can_be_asked_again(visit: Visit) -> None:
    visitor = visit("#mode=compare")
    visitor.expected = ("429", "503")
    visitor.refuse("/v1/faces:detect", 503, "QUEUE_FULL")
    visitor.add_photo(SAMPLE, well=0)
    alert = visitor.well(0).get_by_role("alert")
    expect(alert).to_contain_text("Everybody is drawing just now. All places are taken. Try again in 1 s.")
    alert.get_by_role("button", name="Try again").click()
    expect(visitor.found(0)).to_have_text("One face found.")
    expect(alert).to_be_hidden()
    expect(visitor.well(0).get_by_role("button", name="Remove")).to_be_focused()

    visitor.refuse("/v1/faces:compare", 429, "QUOTA_EXCEEDED")
    visitor.add_photo(picture(portrait()[:, ::-1]), well=1)
    result = visitor.page.locator(".comparison-result")
    expect(result).to_contain_text("You have used up what you may use for now.")
    result.get_by_role("button", name="Try again").click()
    expect(result).to_contain_text("The same person")
    expect(visitor.page.locator("#outcome")).to_be_focused()


def test_what_was_refused_is_tried_again_for_the_same_person(visit: Visit, client: api.Gateway) -> None:
    visitor = visit("#numImages=1&seed=3&steps=4")
    visitor.expected = ("503",)
    visitor.refuse("/v1/generations", 503, "QUEUE_FULL")
    visitor.add_photo(SAMPLE)
    visitor.generate.click()
    expect(visitor.run().get_by_role("alert")).to_contain_text("Everybody is drawing just now.")
    before = thumbnail(visitor)
    visitor.well().get_by_role("button", name="Remove").click()
    visitor.add_photo(picture(squares()["sizes"]))
    visitor.run().get_by_role("button", name="Try again").click()
    visitor.await_finish()
    expect(visitor.page.locator(".run")).to_have_count(1)
    assert thumbnail(visitor) == before
    (image,) = generated(client, seed=3, steps=4)
    assert np.array_equal(visitor.portraits()[0].pixels, pixels(image.data))


def test_generation_that_the_server_has_forgotten_says_so(visit: Visit) -> None:
    visitor = visit("#numImages=1&steps=4")
    visitor.expected = ("404",)
    visitor.refuse("/events", 404, "GENERATION_NOT_FOUND")
    visitor.add_photo(SAMPLE)
    visitor.generate.click()
    expect(visitor.run().get_by_role("alert")).to_contain_text("The server has let go of this.")
    expect(visitor.run().locator(".run-state")).to_have_text("Not finished")
    visitor.run().get_by_role("button", name="Try again").click()
    visitor.await_finish()


def test_all_pictures_are_saved_in_one_zip(visit: Visit) -> None:
    visitor = visit("#numImages=3&seed=7&steps=4&outputFormat=IMAGE_FORMAT_JPEG")
    visitor.add_photo(SAMPLE)
    visitor.draw()
    with visitor.page.expect_download() as download:
        visitor.run().get_by_role("button", name="Download all").click()
    with zipfile.ZipFile(download.value.path()) as saved:
        assert saved.testzip() is None
        pictures = {name: saved.read(name) for name in saved.namelist() if name != "receipt.json"}
    assert pictures == {each.file_name: each.file for each in visitor.portraits()}
    assert all(Image.open(io.BytesIO(file)).format == "JPEG" for file in pictures.values())


def test_link_carries_the_settings_and_no_photo(visit: Visit) -> None:
    visitor = visit(
        "#numImages=3&variant=no-such&seed=42&mode=mix&t=0.25&steps=1e9&scheduler=euler&outputFormat=GIF"
    )
    page = visitor.page
    expect(page.locator("#numImages")).to_have_value("3")
    expect(page.get_by_label("Mix two")).to_be_checked()
    expect(page.get_by_label("Between the two")).to_have_value("25")
    page.locator(".settings > summary").click()
    expect(page.locator("#seed")).to_have_value("42")
    expect(page.locator("#steps")).to_have_value("100")
    expect(page.locator("#scheduler")).to_have_value("euler")
    expect(page.locator("#outputFormat")).to_have_value("IMAGE_FORMAT_PNG")
    visitor.add_photo(SAMPLE)
    page.locator("#seed").fill("43")
    page.wait_for_url(re.compile("seed=43"))
    assert len(page.url) < 200
    page.reload()
    page.locator(".settings > summary").click()
    expect(page.locator("#seed")).to_have_value("43")


def test_variant_that_is_picked_brings_its_own_recipe(visit: Visit, client: api.Gateway) -> None:
    variants = client.unary("GetModelInfo", api.message("GetModelInfoRequest")).variants
    other = variants[1]
    visitor = visit("#numImages=1&seed=9")
    page = visitor.page
    expect(page.locator("#recipe")).to_contain_text(f"{variants[0].id} · {variants[0].default_steps} steps")
    page.locator(".settings > summary").click()
    page.locator(f"#variants label:has(input[value='{other.id}'])").click()
    expect(page.locator("#steps")).to_have_value(str(other.default_steps))
    expect(page.locator("#scheduler")).to_have_value(other.default_scheduler)
    expect(page.locator("#recipe")).to_have_text(f"{other.id} · {other.default_steps} steps · seed 9")
    page.wait_for_url(re.compile(f"variant={other.id}"))
    assert "steps" not in page.url

    visitor.add_photo(SAMPLE)
    visitor.draw()
    (image,) = generated(client, variant=other.id, seed=9)
    assert np.array_equal(visitor.portraits()[0].pixels, pixels(image.data))


def test_photo_may_be_dropped_or_pasted(visit: Visit) -> None:
    visitor = visit("#mode=mix")
    file = base64.b64encode(SAMPLE.read_bytes()).decode()
    for event, carrier in (("drop", "dataTransfer"), ("paste", "clipboardData")):
        visitor.page.evaluate(
            """([event, carrier, base64]) => {
                const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
                const transfer = new DataTransfer();
                transfer.items.add(new File([bytes], 'photo.png', { type: 'image/png' }));
                const options = { bubbles: true, cancelable: true, [carrier]: transfer };
                const made = event === 'drop' ? new DragEvent(event, options) : new ClipboardEvent(event, options);
                document.body.dispatchEvent(made);
            }""",
            [event, carrier, file],
        )
        expect(visitor.found(0 if event == "drop" else 1)).to_have_text("One face found.")


def test_photo_may_be_taken(visit: Visit) -> None:
    visitor = visit("#numImages=1&steps=4", permissions=["camera"])
    visitor.page.evaluate(WATCH_CAMERAS)
    visitor.well().get_by_role("button", name="Use the camera").click()
    visitor.page.get_by_role("button", name="Take the photo").click()
    expect(visitor.found()).to_have_text("One face found.")
    assert visitor.page.evaluate(CAMERAS) == ["ended"]
    visitor.draw()


def test_camera_that_comes_too_late_is_let_go(visit: Visit) -> None:
    visitor = visit(permissions=["camera"])
    page = visitor.page
    page.evaluate(WATCH_CAMERAS)
    page.evaluate("() => { globalThis.lent = new Promise((resolve) => { globalThis.lend = resolve; }); }")
    for number in (1, 2):
        visitor.well().get_by_role("button", name="Use the camera").click()
        page.wait_for_function("number => cameras.length === number", arg=number)
        if number == 1:
            page.keyboard.press("Escape")
    page.evaluate("() => lend()")
    expect(page.get_by_role("button", name="Take the photo")).to_be_enabled()
    assert page.evaluate(CAMERAS) == ["ended", "live"]
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    page.wait_for_function("() => cameras.every(({ readyState }) => readyState === 'ended')")


def test_photo_that_is_too_large_is_made_smaller(visit: Visit, start: Callable[..., Gateway]) -> None:
    with start("-Darc2face.limits.max-photo-bytes=65536") as small:
        visitor = visit("#numImages=1&steps=4", at=f"http://{small.host}:{small.http_port}/")
        expect(visitor.page.locator("#served")).to_contain_text("mini")
        visitor.add_photo(SAMPLE)
        visitor.draw()


def test_two_photos_that_are_too_large_together_are_made_smaller(visit: Visit) -> None:
    large = SAMPLE.read_bytes() + bytes(9 << 20)  # what stands behind a PNG's end is nothing to its readers
    visitor = visit("#mode=compare")
    for well in range(2):
        visitor.add_photo({"name": "photo.png", "mimeType": "image/png", "buffer": large}, well)
    expect(visitor.page.locator(".comparison-result")).to_contain_text("The same person")


def test_key_is_asked_for_where_the_server_asks(
    visit: Visit, start: Callable[..., Gateway], tmp_path: Path
) -> None:
    keys = tmp_path / "keys"
    keys.write_text(
        "alice sha256:2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90 generate,embed\n"
    )
    with start(f"-Darc2face.security.api-keys-file={keys}") as asking:
        visitor = visit("#numImages=1&steps=4", at=f"http://{asking.host}:{asking.http_port}/")
        visitor.expected = ("401",)
        dialog = visitor.page.get_by_role("dialog")
        key, proceed = dialog.get_by_label("API key or token"), dialog.get_by_role("button", name="Continue")
        key.fill("böb")  # no header can carry it
        proceed.click()
        expect(dialog.get_by_role("alert")).to_contain_text("does not count here")
        expect(key).to_have_accessible_description(re.compile("does not count here.*memory only"))
        expect(key).to_have_value("böb")
        key.fill("bob")
        proceed.click()
        expect(key).to_have_value("")  # asked for anew
        expect(dialog.get_by_role("alert")).to_contain_text("does not count here")
        key.fill("alice")
        proceed.click()
        expect(dialog).to_be_hidden()
        visitor.add_photo(SAMPLE)
        visitor.draw()
        stored = visitor.page.evaluate(
            "() => [document.cookie, localStorage.length, sessionStorage.length, location.href]"
        )
        assert stored[:3] == ["", 0, 0]
        assert "alice" not in stored[3]


def thumbnail(visitor: Visitor) -> str:
    return visitor.run().locator(".thumbnail").evaluate("canvas => canvas.toDataURL()")


def generated(client: api.Gateway, **fields: Any) -> list[Any]:
    """What gRPC gives for the same request; the sample's portraits unless it names another identity."""
    identity = fields.pop("identity", None) or api.message("IdentitySource", photo=SAMPLE.read_bytes())
    events = client.generate(api.message("GenerateRequest", identity=identity, **fields))
    return [event.image for event in events if event.WhichOneof("event") == "image"]
