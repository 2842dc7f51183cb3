"""Pictures as the caller has them, and as they are sent."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import arc2face
from arc2face import v1
from arc2face.identity import message_of
from arc2face.photo import encoded
from arc2face.request import generate_request


@pytest.fixture
def pixels() -> Any:
    return np.random.default_rng(1).integers(0, 256, (20, 30, 3), np.uint8)


def test_files_and_bytes_go_as_they_are(photo: Path) -> None:
    content = photo.read_bytes()
    with photo.open("rb") as file:
        ways = [str(photo), photo, content, bytearray(content), memoryview(content), file]
        assert [encoded(way) for way in ways] == [content] * len(ways)


def test_pixels_arrive_as_they_are(pixels: Any) -> None:
    for picture in (pixels, Image.fromarray(pixels), pixels[..., ::-1][..., ::-1], pixels[:, :, 0]):
        assert np.array_equal(decoded(encoded(picture)), np.asarray(picture))
    palette = Image.fromarray(pixels).quantize(8)
    assert np.array_equal(decoded(encoded(palette)), np.asarray(palette.convert("RGB")))


def test_pictures_are_sent_upright(pixels: Any) -> None:
    lying = Image.fromarray(pixels)
    lying.getexif()[0x0112] = 6  # turn it clockwise
    sent = Image.open(io.BytesIO(encoded(lying)))
    assert np.array_equal(np.asarray(sent), np.rot90(pixels, -1))
    assert 0x0112 not in sent.getexif()


@pytest.mark.parametrize(
    "wrong", [np.zeros((4, 4, 3), np.float32), np.zeros((4, 4, 2), np.uint8), np.zeros(4, np.uint8)]
)
def test_other_arrays_are_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="uint8"):
        encoded(wrong)


@pytest.mark.parametrize("wrong", [None, 7, [b"photo"], io.StringIO("photo")])
def test_other_things_are_refused(wrong: Any) -> None:
    with pytest.raises(TypeError):
        encoded(wrong)


def test_identities_are_those_of_the_proto(pixels: Any) -> None:
    crop = np.zeros((112, 112, 3), np.uint8)
    embedding = arc2face.Embedding(np.array([0.5, 1], np.float32), "r")
    average = arc2face.Average(b"one", arc2face.Photo(b"two", face_index=0), embedding)
    sent = message_of(arc2face.Interpolation(average, arc2face.AlignedFace(crop), t=[0, 0.25]))
    between = sent.interpolation
    assert list(between.t) == [0, 0.25]
    assert between.second.aligned_face.rgb == crop.tobytes()
    one, two, three = between.first.average.sources
    assert (one.photo, one.HasField("face_index")) == (b"one", False)
    assert (two.photo, two.HasField("face_index"), two.face_index) == (b"two", True, 0)
    assert three.embedding == v1.Embedding(values=[0.5, 1], recogniser_id="r")
    with pytest.raises(ValueError, match="112x112"):
        message_of(arc2face.AlignedFace(pixels))


def test_embeddings_are_kept_in_files(tmp_path: Path) -> None:
    embedding = arc2face.Embedding([0.1, -2e-7, 3.0], "r")
    embedding.save(tmp_path / "e.json")
    assert message_of(arc2face.Embedding.load(tmp_path / "e.json")) == message_of(embedding)
    (tmp_path / "e.json").write_bytes(b"\xff")
    with pytest.raises(ValueError, match=r"e\.json is no embedding"):
        arc2face.Embedding.load(tmp_path / "e.json")


def test_options_are_those_of_the_proto() -> None:
    request = generate_request(
        b"photo", {"steps": 4, "seed": None, "output_format": "jpeg", "on_disconnect": "finish"}
    )
    request_id = request.request_id
    assert len(request_id) == 32
    assert request == v1.GenerateRequest(
        identity=v1.IdentitySource(photo=b"photo"),
        steps=4,
        output_format=v1.IMAGE_FORMAT_JPEG,
        on_disconnect=v1.ON_DISCONNECT_FINISH,
        request_id=request_id,
    )
    assert generate_request(arc2face.Interpolation(b"a", b"b", [0, 1]), {}).num_images == 2
    with pytest.raises(ValueError, match=r"png.*jpeg"):
        generate_request(b"photo", {"output_format": "gif"})
    with pytest.raises(TypeError, match="step"):
        generate_request(b"photo", {"step": 4})  # type: ignore[typeddict-unknown-key]


def decoded(content: bytes) -> Any:
    return np.asarray(Image.open(io.BytesIO(content)))
