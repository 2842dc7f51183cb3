"""Event streams that break, and many of them at once."""

import json
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from google.protobuf import json_format
from playwright.sync_api import Request, expect

from evaluation import api
from serving.gateway import Gateway
from serving.local_http import OPENER
from tests.page.line import Line
from tests.page.visitor import BEGIN, PATIENCE, Visitor, pixels
from tests.pictures import SAMPLE

Visit = Callable[..., Visitor]

LISTENERS = 100
TABS = {1000: 16, 2000: 24}  # the seed of each, and its steps


def test_broken_connection_is_made_again_and_nothing_is_lost(
    visit: Visit, gateway: Gateway, client: api.Gateway
) -> None:
    with Line(gateway.host, gateway.http_port) as line:
        visitor = visit("#numImages=1&seed=11&steps=60", at=line.address)
        visitor.expected = ("ERR_",)
        asked: list[Request] = []
        visitor.page.on("request", lambda request: "/events" in request.url and asked.append(request))
        visitor.add_photo(SAMPLE)
        visitor.generate.click()
        expect(visitor.run().locator(".run-state")).to_contain_text("Step ", timeout=PATIENCE)
        line.cut()
        visitor.await_finish()
        assert [request.header_value("last-event-id") is None for request in asked] == [True, False]
        bar = visitor.seen()["bar"]
        assert bar == sorted(bar)
        (shown,) = visitor.portraits()
    assert np.array_equal(
        shown.pixels, portrait(client, api.message("IdentitySource", photo=SAMPLE.read_bytes()), 11, 60)
    )


def test_request_that_is_not_answered_is_sent_again(visit: Visit) -> None:
    visitor = visit("#numImages=1&steps=4")
    visitor.expected = ("ERR_",)
    asked: list[Request] = []
    visitor.page.on("request", lambda request: BEGIN.search(request.url) and asked.append(request))
    visitor.page.route(BEGIN, lambda route: route.abort("connectionreset"), times=1)
    visitor.add_photo(SAMPLE)
    visitor.draw()
    assert len(asked) == 2


def test_two_tabs_and_a_hundred_listeners_never_mix(visit: Visit, address: str, client: api.Gateway) -> None:
    info = client.unary("GetModelInfo", api.message("GetModelInfoRequest"))
    tabs: dict[int, Visitor] = {}
    for seed, steps in TABS.items():
        beside = next(iter(tabs.values()), None)
        tabs[seed] = visit(f"#numImages=2&seed={seed}&steps={steps}", beside=beside)
    for tab in tabs.values():
        tab.add_photo(SAMPLE)
    with ThreadPoolExecutor(LISTENERS) as pool:
        heard = [
            pool.submit(listen, address, api.nobody(info, number), number) for number in range(LISTENERS)
        ]
        for tab in tabs.values():
            tab.generate.click()
        for tab in tabs.values():
            tab.await_finish()
        pictures = [each.result() for each in heard]

    for seed, tab in tabs.items():
        for i, shown in enumerate(tab.portraits()):
            assert shown.seed == seed + i
            assert np.array_equal(shown.pixels, portrait(client, sample(), seed + i, TABS[seed]))
    for number in (0, 41, LISTENERS - 1):
        assert np.array_equal(pixels(pictures[number]), portrait(client, api.nobody(info, number), number, 2))
    assert len(set(pictures)) == LISTENERS


def listen(address: str, identity: Any, number: int) -> bytes:
    """Generates with this seed by REST, hears all events, each of its own generation, and returns the picture."""
    request = {
        "identity": json_format.MessageToDict(identity),
        "seed": number,
        "steps": 2,
        "requestId": f"listener-{number}",
    }
    asked = urllib.request.Request(
        f"{address}v1/generations", json.dumps(request).encode(), {"Content-Type": "application/json"}
    )
    with OPENER.open(asked, timeout=PATIENCE / 1000) as accepted:
        assert accepted.status == 202
        where = accepted.headers["location"]
    with OPENER.open(f"{address.rstrip('/')}{where}/events", timeout=PATIENCE / 1000) as stream:
        events = [
            json.loads(line[6:]) for line in stream.read().decode().split("\n") if line.startswith("data: ")
        ]
    assert events[0]["accepted"]["requestId"] == f"listener-{number}"
    numbers = [int(event["sequence"]) for event in events]
    assert numbers == sorted(numbers)
    assert "completed" in events[-1]
    (image,) = (event["image"] for event in events if "image" in event)
    assert image.get("seed", 0) == number
    return json_format.ParseDict({"data": image["data"]}, api.message("PortraitImage")).data


def sample() -> Any:
    return api.message("IdentitySource", photo=SAMPLE.read_bytes())


def portrait(client: api.Gateway, identity: Any, seed: int, steps: int) -> np.ndarray:
    """The pixels that gRPC gives."""
    request = api.message("GenerateRequest", identity=identity, seed=seed, steps=steps)
    (image,) = (event.image for event in client.generate(request) if event.WhichOneof("event") == "image")
    return pixels(image.data)
