"""A gateway that is told to stop (SIGTERM) while it works."""

import http.client
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from evaluation import api
from serving.gateway import Gateway
from serving.triton import Options, Triton

SECONDS = 120

Start = Callable[..., Gateway]


@pytest.fixture
def start(jar: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts a gateway that runs one generation at a time, with more Java options."""
    with Triton(Options(run=tmp_path / "triton")) as triton:
        started = []

        def gateway(*options: str) -> Gateway:
            target = f"{triton.listening.host}:{triton.listening.grpc}"
            options = (
                "-Darc2face.limits.max-running=1",
                f"-Darc2face.limits.shutdown-grace=PT{SECONDS}S",
                *options,
            )
            log = tmp_path / f"gateway-{len(started)}.log"
            started.append(Gateway(jar, target, log, java_options=options))
            return started[-1].__enter__()

        yield gateway
        for server in started:
            server.__exit__()


def test_what_runs_ends_and_nobody_else_begins(start: Start) -> None:
    gateway = start()
    with api.Gateway(f"{gateway.host}:{gateway.grpc_port}") as client:
        running, waiting = begin(client, "step_progress"), begin(client, "queued")
        again = request(client)
        gateway.child.process.terminate()

        assert_sent_away(waiting)
        assert_unavailable(client.generate(again))
        assert_unavailable_over_http(gateway)
        *_, last = running
        assert last.HasField("completed")
        gateway.child.process.wait(SECONDS)


def test_the_next_call_of_a_channel_goes_to_another_gateway(start: Start) -> None:
    first, second = start(), start()
    addresses = ",".join(f"{gateway.host}:{gateway.grpc_port}" for gateway in (first, second))
    with api.Gateway(f"ipv4:{addresses}") as client:
        running, waiting = begin(client, "step_progress"), begin(client, "queued")
        again = request(client)
        first.child.process.terminate()

        assert_sent_away(waiting)
        next(client.generate(again))
        *_, last = running  # at the first, all the while
        assert last.HasField("completed")
        first.child.process.wait(SECONDS)


def test_what_does_not_end_in_time_is_told_so(start: Start) -> None:
    gateway = start("-Darc2face.limits.shutdown-grace=PT0.1S")
    with api.Gateway(f"{gateway.host}:{gateway.grpc_port}") as client:
        running = begin(client, "step_progress")
        gateway.child.process.terminate()

        assert_sent_away(running)
        gateway.child.process.wait(SECONDS)


def test_listeners_over_http_hear_the_end(start: Start) -> None:
    gateway = start()
    with api.Gateway(f"{gateway.host}:{gateway.grpc_port}") as client:
        info = client.unary("GetModelInfo", api.message("GetModelInfoRequest"))
    running, waiting = (listen(gateway, info, name) for name in ("running", "waiting"))
    next(event for event, _ in running if event == "stepProgress")
    next(event for event, _ in waiting if event == "queued")
    gateway.child.process.terminate()

    *_, (event, problem) = waiting
    assert (event, problem["reason"], problem["status"]) == ("error", "SHUTTING_DOWN", 503)
    assert problem["retryAfterSeconds"] >= 1
    *_, (event, _) = running
    assert event == "completed"
    gateway.child.process.wait(SECONDS)


def listen(gateway: Gateway, info: Any, name: str) -> Iterator[tuple[str, Any]]:
    """The events of a long generation, each with what it says."""
    values = [1.0] + [0.0] * (info.embedding_size - 1)
    identity = {"embedding": {"values": values, "recogniserId": info.recogniser_id}}
    request = {"requestId": name, "identity": identity, "steps": 100, "numImages": 2, "previewEvery": 0}
    connection = http.client.HTTPConnection(gateway.host, gateway.http_port, timeout=SECONDS)
    connection.request("POST", "/v1/generations", json.dumps(request), {"Content-Type": "application/json"})
    begun = connection.getresponse()
    assert begun.status == http.client.ACCEPTED, begun.read()
    begun.read()
    connection.request("GET", f"/v1/generations/{name}/events")
    stream = connection.getresponse()
    return events_of(stream)


def events_of(stream: http.client.HTTPResponse) -> Iterator[tuple[str, Any]]:
    name = ""
    for line in stream:
        if line.startswith(b"event: "):
            name = line[7:].strip().decode()
        elif line.startswith(b"data: "):
            yield name, json.loads(line[6:])


def begin(client: api.Gateway, event: str) -> Iterator[Any]:
    """A long generation of which this event has been seen."""
    events = client.generate(request(client))
    next(e for e in events if e.WhichOneof("event") == event)
    return events


def request(client: api.Gateway) -> Any:
    info = client.unary("GetModelInfo", api.message("GetModelInfoRequest"))
    return api.message("GenerateRequest", identity=api.nobody(info), steps=100, num_images=2, preview_every=0)


def assert_unavailable(events: Iterator[Any]) -> None:
    """Nobody is there any more; or, on a connection that does not know yet, somebody who says so."""
    with pytest.raises(grpc.RpcError) as raised:
        list(events)
    assert api.status(raised.value) in ("UNAVAILABLE", "UNAVAILABLE SHUTTING_DOWN")


def assert_unavailable_over_http(gateway: Gateway) -> None:
    connection = http.client.HTTPConnection(gateway.host, gateway.http_port, timeout=SECONDS)
    connection.request("POST", "/v1/generations", "{}", {"Content-Type": "application/json"})
    refused = connection.getresponse()
    assert (refused.status, json.load(refused)["reason"]) == (503, "SHUTTING_DOWN")
    connection.close()


def assert_sent_away(events: Iterator[Any]) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        list(events)
    assert api.status(raised.value) == "UNAVAILABLE SHUTTING_DOWN"
    details = dict(raised.value.trailing_metadata())["grpc-status-details-bin"]
    assert b"google.rpc.RetryInfo" in details
