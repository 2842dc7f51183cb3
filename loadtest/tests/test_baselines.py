"""That the baselines draw what the gateway draws, in the way that they say."""

import io
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import numpy as np
import pytest
from PIL import Image

from evaluation import api
from evaluation.api import ROOT, message
from evaluation.parity.psnr import psnr
from loadtest.baselines import pipeline as whole
from loadtest.baselines.locked import Locked
from loadtest.baselines.pipeline import client
from serving import layout
from serving.gateway import Gateway
from serving.triton import Options, Triton

JAR = ROOT / "gateway/target/quarkus-app/quarkus-run.jar"
LEAST_PSNR = 50.0
LAST_SEED = 2**32 - 1

# Steps, guidance scale, seed, portraits.
CASES = [(12, 1.5, 7, 1), (5, 4.0, LAST_SEED, 2), (3, 1.0, 8, 1), (1, 1.5, 9, 1)]


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[api.Gateway]:
    log = tmp_path_factory.mktemp("locked") / "log"
    with Locked("mini", log) as server, api.Gateway(f"{server.host}:{server.grpc_port}") as stub:
        yield stub


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[api.Gateway]:
    log = tmp_path_factory.mktemp("gateway") / "log"
    with (
        Triton(Options(repository="mini")) as triton,
        Gateway(JAR, f"{triton.listening.host}:{triton.listening.grpc}", log) as server,
        api.Gateway(f"{server.host}:{server.grpc_port}") as stub,
    ):
        yield stub


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[client.Client]:
    written = whole.write(layout.find_repository("mini"), tmp_path_factory.mktemp("pipeline") / "models")
    with (
        Triton(Options(repository=str(written))) as triton,
        client.Client(f"{triton.listening.host}:{triton.listening.grpc}") as stub,
    ):
        yield stub


def embedding(number: int) -> np.ndarray:
    return np.random.default_rng(number).standard_normal(256).astype(np.float32)


def request(stub: api.Gateway, steps: int, guidance: float, seed: int, images: int, **fields: Any) -> Any:
    info = stub.unary("GetModelInfo", message("GetModelInfoRequest"))
    assert info.embedding_size == 256
    values = message("Embedding", values=embedding(seed), recogniser_id=info.recogniser_id)
    return message(
        "GenerateRequest",
        identity=message("IdentitySource", embedding=values),
        num_images=images,
        steps=steps,
        guidance_scale=guidance,
        seed=seed,
        **fields,
    )


def pixels(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture)


@pytest.mark.parametrize(("steps", "guidance", "seed", "images"), CASES)
def test_baselines_draw_the_gateways_portraits(
    locked: api.Gateway,
    pipeline: client.Client,
    gateway: api.Gateway,
    steps: int,
    guidance: float,
    seed: int,
    images: int,
) -> None:
    ours, theirs = (
        [e.image for e in stub.generate(request(stub, steps, guidance, seed, images)) if e.HasField("image")]
        for stub in (locked, gateway)
    )
    assert len(ours) == len(theirs) == images
    for our, their in zip(ours, theirs, strict=True):
        assert (our.seed, our.width, our.height) == (their.seed, their.width, their.height)
        expected = pixels(their.data)
        assert expected.std() > 10  # a picture, and no flat colour on which everybody agrees
        assert psnr(pixels(our.data), expected) >= LEAST_PSNR
        drawn = pipeline.draw(embedding(seed), steps, their.seed, guidance)
        assert psnr(pixels(drawn), expected) >= LEAST_PSNR


def test_locked_sends_the_gateways_events(locked: api.Gateway, gateway: api.Gateway) -> None:
    def kinds(stub: api.Gateway) -> list[tuple[int, str]]:
        events = stub.generate(request(stub, 3, 1.5, 1, 2, preview_every=0))
        return [(event.sequence, event.WhichOneof("event")) for event in events]

    assert kinds(locked) == kinds(gateway)


def test_locked_has_the_gateways_defaults(locked: api.Gateway, gateway: api.Gateway) -> None:
    def accepted(stub: api.Gateway) -> Any:
        asked = request(stub, 1, 1, 1, 1, request_id="same", preview_every=0)
        for field in ("num_images", "steps", "guidance_scale"):
            asked.ClearField(field)
        call = stub.generate(asked)
        first = next(iter(call)).accepted
        call.cancel()
        return first

    assert accepted(locked) == accepted(gateway)


def test_locked_serves_one_caller_at_a_time(locked: api.Gateway) -> None:
    seen: list[tuple[str, str]] = []
    first_steps = threading.Event()

    def call(name: str, asked: Any) -> None:
        for event in locked.generate(asked):
            seen.append((name, event.WhichOneof("event")))
            if event.HasField("step_progress"):
                first_steps.set()

    # A step of the second caller takes long enough for the first one's last events to arrive before.
    asked = request(locked, 10, 1.5, 1, 1), request(locked, 1, 1.5, 2, 8)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(call, "first", asked[0])
        assert first_steps.wait(60)
        pool.submit(call, "second", asked[1]).result()
        first.result()
    assert seen.index(("second", "accepted")) < seen.index(("first", "image"))
    assert seen.index(("first", "image")) < seen.index(("second", "step_progress"))


def test_locked_caller_who_leaves_gives_the_lock_back(locked: api.Gateway) -> None:
    left = locked.generate(request(locked, 100, 1.5, 1, 16))  # close to a minute on two cores
    for event in left:
        if event.HasField("step_progress"):
            left.cancel()
            break
    start = time.monotonic()
    assert [event for event in locked.generate(request(locked, 1, 1.5, 1, 1)) if event.HasField("completed")]
    assert time.monotonic() - start < 20


def test_locked_refuses_what_it_does_not_serve(locked: api.Gateway) -> None:
    photo = message("GenerateRequest", identity=message("IdentitySource", photo=b"x"))
    for asked in (photo, request(locked, 101, 1.5, 1, 1), request(locked, 1, 1.5, 1, 1, scheduler="euler")):
        with pytest.raises(grpc.RpcError) as refused:
            list(locked.generate(asked))
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_pipeline_gives_each_caller_of_a_batch_their_own_portrait(pipeline: client.Client) -> None:
    asked = [(embedding(i), 2 + i % 2, 100 + i, (1.0, 1.5, 4.0)[i % 3]) for i in range(6)]
    alone = [pipeline.draw(*each) for each in asked]
    assert len(set(alone)) == len(asked)
    requests_before, batches_before = pipeline.batches()
    with ThreadPoolExecutor(len(asked) + 1) as pool:
        busy = pool.submit(pipeline.draw, embedding(0), 10, 0, 1.5)  # the others gather meanwhile
        together = list(pool.map(pipeline.draw, *zip(*asked, strict=True)))
        busy.result()
    assert together == alone
    requests, batches = pipeline.batches()
    assert requests - requests_before == len(asked) + 1
    assert batches - batches_before < len(asked)


def test_pipeline_refuses_a_request_and_serves_the_next(pipeline: client.Client) -> None:
    for steps, identity in ((0, embedding(1)), (3, np.zeros(256))):
        with pytest.raises(grpc.RpcError, match=r"0 steps|zero"):
            pipeline.draw(identity, steps, 1, 1.5)
    assert pipeline.draw(embedding(1), 1, 1, 1.5)
