"""From the upload of a photo over HTTP to the first server-sent event, as a page waits for it.

A form with the photo (0.8 MB) goes over a new connection, and its events come over another one. Alone, and while other
callers keep the queue filled (mini).
"""

import http.client
import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.api import ROOT
from loadtest.bench import servers
from loadtest.bench.section import Line, Section, Table

PHOTO = ROOT / "samples/collins.png"
GOAL_MS = 200
BOUNDARY = "----first-event"


@dataclass(frozen=True)
class Plan:
    uploads: int = 200
    warm_up: int = 50
    others: int = 24  # more than run at once: the rest waits


def measure(plan: Plan, work: Path) -> Section:
    with servers.stack("mini", work) as served:
        first_events(served.http, plan.warm_up)
        alone = first_events(served.http, plan.uploads)
        busy = beside_others(served, plan, work)
    measured = {"alone": alone, f"beside {plan.others} callers": busy}
    lines = [
        Line(
            f"From upload to first event over SSE, {who}",
            f"95th percentile at most {GOAL_MS} ms",
            f"{np.percentile(times, 95):.0f} ms (median {np.median(times):.0f} ms)",
            bool(np.percentile(times, 95) <= GOAL_MS),
        )
        for who, times in measured.items()
    ]
    table = Table(
        "Milliseconds from upload to first event",
        ("", "median", "95th percentile", "longest", "uploads"),
        [
            (who, *(f"{np.percentile(times, p):.1f}" for p in (50, 95, 100)), str(len(times)))
            for who, times in measured.items()
        ],
    )
    return Section("First event over HTTP", __doc__ or "", lines, [table], raw=measured)


def beside_others(served: servers.Served, plan: Plan, work: Path) -> list[float]:
    """While as many callers draw as there is room for, and more wait."""
    with ThreadPoolExecutor(1) as pool:
        load = pool.submit(
            servers.stream, served.target, work, "--callers", str(plan.others), "--duration", "20s"
        )
        times: list[float] = []
        while not load.done() and len(times) < plan.uploads:
            times += first_events(served.http, 1)
        load.result()
    return times


def first_events(address: str, uploads: int) -> list[float]:
    """Milliseconds of each."""
    return [first_event(address, f"first-event-{uuid.uuid4().hex}") for _ in range(uploads)]


def first_event(address: str, name: str) -> float:
    body = form({"requestId": name, "steps": 1, "previewEvery": 0}, PHOTO.read_bytes())
    path = f"/v1/generations/{name}"
    began = time.perf_counter()
    with closing(http.client.HTTPConnection(address, timeout=60)) as connection:
        connection.request(
            "POST", "/v1/generations", body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        )
        begun = connection.getresponse()
        if begun.status != http.client.ACCEPTED:
            raise RuntimeError(f"{begun.status} {begun.read().decode()}")
    with closing(http.client.HTTPConnection(address, timeout=60)) as connection:
        connection.request("GET", f"{path}/events?imageData=false")
        stream = connection.getresponse()
        while not stream.readline().startswith(b"data: "):
            pass
        took = time.perf_counter() - began
    with closing(http.client.HTTPConnection(address, timeout=60)) as connection:
        connection.request("DELETE", path)
        connection.getresponse().read()
    return 1000 * took


def form(request: dict[str, Any], photo: bytes) -> bytes:
    """As a browser sends it."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{{}}"; filename="blob"\r\n\r\n'
    return b"".join(
        [
            head.format("request").encode() + json.dumps(request).encode() + b"\r\n",
            head.format("identity.photo").encode() + photo + b"\r\n",
            f"--{BOUNDARY}--\r\n".encode(),
        ]
    )
