"""Both clients, a real gateway and a real Triton."""

import asyncio
import hashlib
import io
import subprocess
import threading
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from PIL import Image

import arc2face
from arc2face import errors
from conftest import Secured
from loadtest.soak.relay import Relay
from serving import local_http
from serving.gateway import java

FEW = {"num_images": 2, "steps": 4, "seed": 4_294_967_295}  # the second seed is 0
DURABLE = (arc2face.Accepted, arc2face.FaceReport, arc2face.Portrait, arc2face.Completed)


@pytest.fixture(scope="module")
def portraits(target: str, photo: Path) -> list[arc2face.Portrait]:
    with arc2face.Client(target) as client:
        return client.portraits(photo, **FEW)


def test_receipts_are_those_that_the_command_line_client_reads(
    client: arc2face.Client, jar: Path, photo: Path, tmp_path: Path
) -> None:
    for event in client.generate(photo, output_format="webp", **FEW):
        match event:
            case arc2face.Portrait():
                event.save(tmp_path / f"{event.seed}.webp")
            case arc2face.Completed(receipt=arc2face.Receipt() as receipt):
                receipt.save(tmp_path / "receipt.json")
    for picture in receipt.pictures:
        file = tmp_path / f"{picture.seed}.webp"
        assert hashlib.sha256(file.read_bytes()).hexdigest() == picture.sha256
        command_line(jar, "verify", file, tmp_path / "receipt.json")


def command_line(jar: Path, *arguments: object) -> None:
    run = [java(), "-XX:TieredStopAtLevel=1", "-jar", str(jar), *(str(each) for each in arguments)]
    subprocess.run(run, check=True, capture_output=True, timeout=100)


def test_bytes_are_those_of_the_command_line_client(
    target: str, jar: Path, photo: Path, portraits: list[arc2face.Portrait], tmp_path: Path
) -> None:
    arguments = ["-n", 2, "--steps", 4, "--seed", 4_294_967_295, "--target", target, "--out", tmp_path]
    command_line(jar, "generate", photo, *arguments)
    for portrait in portraits:
        assert (tmp_path / f"collins-{portrait.seed}.png").read_bytes() == portrait.data
        portrait.save(tmp_path / "saved.PNG")
        assert (tmp_path / "saved.PNG").read_bytes() == portrait.data
    assert [portrait.seed for portrait in portraits] == [4_294_967_295, 0]


def test_embedding_is_that_of_the_command_line_client(
    client: arc2face.Client, target: str, jar: Path, photo: Path, tmp_path: Path
) -> None:
    command_line(jar, "embed", photo, "--out", tmp_path / "e.json", "--target", target)
    embedded = client.embed(photo)
    theirs = arc2face.Embedding.load(tmp_path / "e.json")
    assert np.array_equal(np.float32(theirs.values), np.float32(embedded.embedding.values))
    assert theirs.recogniser_id == embedded.embedding.recogniser_id == client.info().recogniser_id
    assert client.compare(theirs, photo).similarity == pytest.approx(1, abs=1e-5)


def test_however_a_photo_is_handed_over_it_is_the_same(
    client: arc2face.Client, photo: Path, portraits: list[arc2face.Portrait]
) -> None:
    picture = Image.open(photo)
    for way in (str(photo), photo.read_bytes(), picture, np.asarray(picture), arc2face.Photo(picture, 0)):
        (portrait,) = client.portraits(way, **{**FEW, "num_images": 1})
        assert portrait.data == portraits[0].data


def test_asyncio_gives_the_same_bytes(target: str, photo: Path, portraits: list[arc2face.Portrait]) -> None:
    async def generate() -> list[list[arc2face.Portrait]]:
        async with arc2face.AsyncClient(target) as client:
            return await asyncio.gather(*(client.portraits(photo, **FEW) for _ in range(3)))

    for together in asyncio.run(generate()):
        assert together == portraits
        assert [one.data for one in together] == [one.data for one in portraits]


def test_asyncio_answers_as_the_other_does(client: arc2face.Client, target: str, photo: Path) -> None:
    async def ask() -> list[object]:
        async with arc2face.AsyncClient(target) as client:
            return [
                await client.detect(photo),
                await client.embed(photo),
                await client.compare(photo, photo),
                await client.info(),
                await client.cancel("nobody"),
            ]

    assert asyncio.run(ask()) == [
        client.detect(photo),
        client.embed(photo),
        client.compare(photo, photo),
        client.info(),
        client.cancel("nobody"),
    ]


def test_events_come_in_order(client: arc2face.Client, photo: Path) -> None:
    with client.generate(photo, preview_every=2, **FEW) as generation:
        seen = [(generation.sequence, event) for event in generation]
    numbers, events = zip(*seen, strict=True)
    assert list(numbers) == sorted(numbers)
    told = [event for event in events if not isinstance(event, arc2face.Queued)]
    accepted, report, *middle, last = told
    steps = []
    for event in middle:
        match event:
            case arc2face.StepProgress(step=step, total_steps=4):
                steps.append(step)
            case arc2face.Preview():
                assert event.step in (2, 4)
                assert event.image.size == (event.width, event.height)
            case arc2face.Portrait(format="png", attempts=1):
                assert event.image.size == (event.width, event.height)
                assert event.similarity == event.identity_score.similarity
            case _:
                pytest.fail(repr(event))
    assert steps == sorted(steps)
    assert steps[-1] == 4
    match accepted, report, last:
        case arc2face.Accepted(
            seeds=(4_294_967_295, 0), steps=4
        ), arc2face.FaceReport(), arc2face.Completed():
            assert accepted.request_id == generation.request_id
            assert report.used in report.faces
            assert report.choice == "largest"
            assert last.elapsed >= last.timings[-1].duration
        case _:
            pytest.fail(repr(told))


def test_faces_are_where_they_are(client: arc2face.Client, photo: Path) -> None:
    found = client.detect(photo)
    assert (found.photo_width, found.photo_height) == Image.open(photo).size
    face = max(found.faces, key=lambda face: face.score)
    assert all(face.left < point.x < face.right for point in face.landmarks)
    left, top, right, bottom = face.box
    margin = (right - left) / 2
    around = Image.open(photo).crop((left - margin, top - margin, right + margin, bottom + margin))
    assert client.compare(photo, around).similarity > 0.9
    assert client.detect(np.zeros((64, 64, 3), np.uint8)).faces == ()


def test_mixed_people_are_between_the_two(client: arc2face.Client, photo: Path) -> None:
    info = client.info()
    other = arc2face.Embedding([1.0] + [0.0] * (info.embedding_size - 1), info.recogniser_id)
    mixed = client.portraits(arc2face.Interpolation(photo, other, t=[0, 1]), steps=2, seed=5)
    assert [portrait.t for portrait in mixed] == [0, 1]
    assert mixed[0].data == client.portraits(photo, steps=2, seed=5)[0].data
    assert mixed[1].data == client.portraits(other, steps=2, seed=6)[0].data
    with pytest.raises(errors.IdentitiesDisagreeError) as raised:
        client.embed(arc2face.Average(photo, other))
    assert raised.value.metadata["disagreeing"] == "0,1"


def test_another_format_is_what_it_says(client: arc2face.Client, photo: Path, tmp_path: Path) -> None:
    (portrait,) = client.portraits(photo, steps=1, output_format="jpeg", jpeg_quality=50)
    assert Image.open(io.BytesIO(portrait.data)).format == "JPEG"
    portrait.save(tmp_path / "a.jpg")
    with pytest.raises(ValueError, match="JPEG"):
        portrait.save(tmp_path / "a.png")
    assert portrait._repr_mimebundle_()["image/jpeg"].startswith("/9j/")


@pytest.mark.parametrize(
    ("kind", "identity", "options"),
    [
        (errors.NoFaceDetectedError, np.full((200, 200, 3), 90, np.uint8), {}),
        (errors.UnsupportedImageFormatError, b"no photo", {}),
        (errors.InvalidRequestError, b"", {}),
        (errors.InvalidRequestError, None, {"steps": 101}),
        (errors.UnknownSchedulerError, None, {"scheduler": "none"}),
        (errors.UnknownVariantError, None, {"variant": "none"}),
        (errors.EmbeddingModelMismatchError, arc2face.Embedding([1], "another"), {}),
        (errors.MessageTooLargeError, bytes(18 << 20), {}),
    ],
)
def test_refusals_are_exceptions_of_their_own(
    client: arc2face.Client, photo: Path, kind: type[errors.Arc2FaceError], identity: Any, options: Any
) -> None:
    with pytest.raises(errors.Arc2FaceError) as raised:
        list(client.generate(photo if identity is None else identity, **options))
    error = raised.value
    assert type(error) is kind
    if isinstance(error, errors.InvalidArgumentError):
        assert error.violations
    if options == {"steps": 101}:
        assert error.violations[0].field == "steps"
    if kind is errors.EmbeddingModelMismatchError:
        assert error.metadata == {"expected": client.info().recogniser_id, "actual": "another"}
    assert f"[{error.reason}]" in str(error)


def test_deadline_decides(client: arc2face.Client, photo: Path) -> None:
    client.portraits(photo, steps=4)  # so that steps are measured
    with pytest.raises(errors.DeadlineUnreachableError) as raised:
        client.portraits(photo, num_images=16, steps=100, timeout=2)
    assert float(raised.value.metadata["expected_seconds"]) > 2
    with pytest.raises(errors.DeadlineExceededError):
        client.info(timeout=-1)  # passed before it begins: an answer can come within a timeout of 0


@pytest.mark.parametrize("events", [1, 2, 5, 7])
def test_after_a_broken_connection_it_goes_on_elsewhere(target: str, photo: Path, events: int) -> None:
    """The first address that gRPC is given breaks; it finds the next one by itself."""
    with arc2face.Client(target) as client:
        whole = told(client.generate(photo, preview_every=0, **FEW))
    with Relay(target) as relay, arc2face.Client(f"ipv4:{relay.target},{target}") as client:
        generation = client.generate(photo, preview_every=0, **FEW)
        first = list(islice(generation, events))
        relay.cut()
        assert told([*first, *generation]) == whole


def test_asyncio_goes_on_too(target: str, photo: Path) -> None:
    async def generate() -> tuple[list[object], list[object]]:
        async with arc2face.AsyncClient(target) as client:
            whole = [event async for event in client.generate(photo, preview_every=0, **FEW)]
        with Relay(target) as relay:
            async with arc2face.AsyncClient(f"ipv4:{relay.target},{target}") as client:
                events = []
                async for event in client.generate(photo, preview_every=0, **FEW):
                    events.append(event)
                    if len(events) == 3:
                        relay.cut()
        return told(whole), told(events)

    whole, broken = asyncio.run(generate())
    assert broken == whole


def test_clients_may_look_for_a_dead_connection(target: str) -> None:
    """More often than grpc-java permits by itself; the fourth ping would be one too many."""
    pings = [("grpc.keepalive_time_ms", 6_000), ("grpc.http2.max_pings_without_data", 0)]
    ended = threading.Event()
    with grpc.insecure_channel(target, pings) as channel:
        generate = channel.stream_stream("/arc2face.v1.PortraitService/Generate")
        with pytest.raises(grpc.RpcError) as raised:
            next(generate(iter(ended.wait, True)))  # a request that does not come
    ended.set()
    assert type(errors.explain(raised.value)) is errors.ClientTooSlowError


def test_another_process_goes_on_with_it(client: arc2face.Client, photo: Path) -> None:
    whole = told(client.generate(photo, **FEW))
    with client.generate(photo, on_disconnect="finish", **FEW) as generation:
        first = [next(generation) for _ in range(3)]
    name, heard = generation.request_id, generation.sequence
    rest = client.generate(photo, on_disconnect="finish", request_id=name, after_sequence=heard, **FEW)
    assert told([*first, *rest]) == whole
    assert client.cancel(name)
    assert not client.cancel(name)


def test_leaving_ends_the_generation(secured: Secured, photo: Path) -> None:
    with arc2face.Client(secured.target, tls=arc2face.Tls(secured.ca), api_key=secured.api_key) as client:
        for leave in (
            lambda generation: generation.close(),
            lambda generation: generation.cancel(),
            lambda generation: generation.__exit__(None, None, None),
        ):
            before = cancelled(secured)
            generation = client.generate(photo, steps=100, num_images=8)
            assert any(isinstance(event, arc2face.StepProgress) for event in generation)
            leave(generation)
            assert list(generation) == []
            while cancelled(secured) == before:
                pass  # the gateway sees it before its next step; the test's timeout is the limit


def told(events: Iterator[arc2face.Event] | list[arc2face.Event]) -> list[object]:
    """What may not be missing, without what a clock or a name has to do with it."""
    kept: list[object] = []
    for event in events:
        match event:
            case arc2face.Accepted():
                kept.append((event.seeds, event.steps))
            case arc2face.Completed():
                kept.append(event.unet_calls)
            case arc2face.FaceReport() | arc2face.Portrait():
                kept.append(event)
    return kept


def cancelled(secured: Secured) -> float:
    """Generations that their callers have left."""
    page = local_http.get(secured.gateway.host, secured.gateway.management_port, "/q/metrics") or b""
    lines = [line for line in page.decode().splitlines() if line.startswith("arc2face_generations_total{")]
    return sum(float(line.split()[-1]) for line in lines if 'outcome="CANCELLED"' in line)
