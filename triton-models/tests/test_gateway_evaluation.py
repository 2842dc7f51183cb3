"""The whole measurement, on a real Triton and a gateway: what it says of pictures whose figures are known."""

import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from evaluation import __main__ as command
from evaluation import api, faces, held_out
from evaluation.gallery import Gallery
from serving.gateway import Gateway
from serving.triton import Options, Triton
from tests.pictures import portrait

PEOPLE = 3
Measured = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def target(jar: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("evaluation")
    with Triton(Options(run=folder / "triton")) as triton:
        listening = f"{triton.listening.host}:{triton.listening.grpc}"
        with Gateway(jar, listening, folder / "gateway.log") as gateway:
            yield f"{gateway.host}:{gateway.grpc_port}"


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for each of three people, with two pictures of them; and two methods' folders.

    `same` has everybody's own source picture, `shuffled` those of all others.
    """
    root = tmp_path_factory.mktemp("people")
    portraits, neighbours = held_out.portraits(), held_out.neighbours()

    def save(*place: str, pixels: np.ndarray) -> None:
        path = root.joinpath(*place)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)

    for number in range(PEOPLE):
        name = f"person-{number}"
        save("photos", name, "1.png", pixels=portraits[number])
        save("photos", name, "2.png", pixels=neighbours[number][0])
        save("same", name, "own.png", pixels=portraits[number])
        for other in range(PEOPLE):
            if other != number:
                save("shuffled", name, f"{other}.png", pixels=portraits[other])
    return root


@pytest.fixture
def measured(target: str, photos: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Measured:
    """Runs the command with these further arguments and gives its report."""

    def run(*arguments: str, out: str = "out", work: Path = tmp_path / "work") -> dict[str, Any]:
        fixed = ["--target", target, "--photos", str(photos / "photos"), "--steps", "2"]
        places = ["--work", str(work), "--out", str(tmp_path / out)]
        monkeypatch.setattr(sys, "argv", ["evaluation", *fixed, *places, *arguments])
        assert command.main() == 0
        return json.loads((tmp_path / out / command.JSON).read_text())

    return run


def test_equal_pictures_score_one_and_shuffled_ones_as_the_control(measured: Measured, photos: Path) -> None:
    methods = [f"--method={name}={photos / name}" for name in ("same", "shuffled")]
    report = measured(*methods)
    same, shuffled = (report["methods"][name] for name in ("same", "shuffled"))
    assert same["similarity"]["own"]["least"] == pytest.approx(1, abs=1e-5)
    assert same["independent"]["own"]["most"] == 0
    assert same["similarity"]["area_under_curve"] == same["independent"]["area_under_curve"] == 1
    assert same["similarity"]["nearest_is_own"] == same["faces_found"] == 1
    assert same["quality"]["sharpness_share"] == pytest.approx(1, abs=0.2)
    for recogniser in ("similarity", "independent"):
        of_others = shuffled[recogniser]["own"]["mean"]
        assert of_others == pytest.approx(same[recogniser]["control"]["mean"], abs=1e-5)
    assert shuffled["similarity"]["own"]["mean"] < 0.6
    assert shuffled["similarity"]["nearest_is_own"] == 0
    assert report["real"]["other photos"]["similarity"]["count"] == PEOPLE


def test_report_is_the_same_twice_and_only_what_is_missing_is_asked_for(
    measured: Measured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[int] = []
    ask = Gallery.ask

    def counted(gallery: Gallery, person: Any, seeds: list[int]) -> Any:
        asked.append(len(seeds))
        return ask(gallery, person, seeds)

    monkeypatch.setattr(Gallery, "ask", counted)
    arguments = ("--images-per", "2", "--steps-curve", "1", "2", "--curve-people", "2")
    first = measured(*arguments, out="first")
    controls = PEOPLE  # whose first picture is always asked for once more
    curve = 2 * 2 * 2  # variants, numbers of steps, people
    assert sum(asked) == PEOPLE * 2 + curve + controls
    pictures = sorted((tmp_path / "work").rglob("*.png"))
    assert len(pictures) == PEOPLE * 2 + curve
    asked.clear()
    before = pictures[0].read_bytes()
    for end in (".png", ".json"):
        pictures[0].with_suffix(end).unlink()
    measured(*arguments, out="second")
    assert sum(asked) == 1 + controls
    assert pictures[0].read_bytes() == before
    for name in (command.JSON, command.PAGE):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    assert first["same_seed"] == {"pictures": PEOPLE, "same_bytes": True, "features": 0}
    compared = [(row["variant"], row["steps"]) for row in first["curve"]]
    assert compared == [("base", 1), ("base", 2), ("lcm", 1), ("lcm", 2)]


def test_embeddings_without_pictures_are_measured_as_far_as_they_can_be(
    measured: Measured, target: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    np.save(tmp_path / "people.npy", 3 * held_out.embeddings()[:2])
    places = ["--work", str(tmp_path / "work"), "--out", str(tmp_path)]
    arguments = ["--target", target, "--embeddings", str(tmp_path / "people.npy"), "--steps", "2", *places]
    monkeypatch.setattr(sys, "argv", ["evaluation", *arguments])
    assert command.main() == 0
    report = json.loads((tmp_path / command.JSON).read_text())
    table = report["methods"]["gateway"]
    assert table["similarity"]["own"]["count"] == 2
    assert table["independent"]["area_under_curve"] is None
    assert table["quality"]["sharpness_share"] is None


@pytest.mark.parametrize("tight", [True, False])
def test_gateway_reads_a_face_as_the_tools_for_measuring_do(target: str, tight: bool) -> None:
    """A portrait is looked at within a border, for its face fills it; the sample is not."""
    picture = held_out.portraits()[0] if tight else portrait()
    face = faces.find(picture)
    assert face is not None
    assert face.padded == tight
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    source = api.message("IdentitySource", photo=file.getvalue())
    with api.Gateway(target) as client:
        answer = client.unary("EmbedFace", api.message("EmbedFaceRequest", identity=source))
    seen = answer.face_report
    assert seen.padded == tight
    places = [[point.x, point.y] for point in seen.faces[seen.used_index].landmarks]
    np.testing.assert_allclose(places, face.landmarks, atol=0.01)
    [embedding] = faces.embed(faces.align(picture, face)[None])
    assert embedding @ np.array(answer.embedding.values) > 0.9999


def test_page_asks_nothing_of_the_network(measured: Measured, tmp_path: Path) -> None:
    measured("--images-per", "2")
    page = (tmp_path / "out" / command.PAGE).read_text()
    assert page.count("<svg") >= 2
    assert page.count("data:image/jpeg;base64,") >= PEOPLE
    without_names = page.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not any(
        word in without_names for word in ("http:", "https:", "<script", "<link", "url(", "@import")
    )
