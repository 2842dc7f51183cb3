"""A caller's trace on the wire, through the gateway to Triton and from both to whoever collects it; and in the log."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from evaluation import api
from serving.gateway import Gateway
from serving.monitoring import traced
from serving.triton import Options, Triton
from tests.otlp import Receiver

SOON = "--trace-config=opentelemetry,bsp_schedule_delay=100"
ATTEMPTS = 3


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def triton(receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One that sends its spans."""
    run = tmp_path_factory.mktemp("traced")
    with Triton(Options(run=run, more=(*traced(receiver.endpoint), SOON))) as triton:
        yield f"{triton.listening.host}:{triton.listening.grpc}"


def generate(gateway: Gateway, trace: str, receiver: Receiver) -> None:
    """Until spans of Triton's have come that are of this trace."""
    for _ in range(ATTEMPTS):
        generate_once(gateway, trace)
        if receiver.comes("triton", trace):
            return
    raise AssertionError(f"no span of Triton's is of the trace {trace}")


def generate_once(gateway: Gateway, trace: str) -> None:
    metadata = [("traceparent", f"00-{trace}-00f067aa0ba902b7-01")]
    with api.Gateway(f"{gateway.host}:{gateway.grpc_port}") as client:
        info = client.unary("GetModelInfo", api.message("GetModelInfoRequest"))
        request = api.message("GenerateRequest", identity=api.nobody(info), steps=2, num_images=1)
        assert list(client.generate(request, metadata=metadata))[-1].HasField("completed")


def test_spans_of_gateway_and_triton_are_of_the_callers_trace(
    jar: Path, receiver: Receiver, triton: str, tmp_path: Path
) -> None:
    trace = secrets.token_hex(16)
    options = [f"-Dotel.exporter.otlp.endpoint={receiver.endpoint}"]
    with Gateway(jar, triton, tmp_path / "gateway.log", java_options=options) as gateway:
        generate(gateway, trace, receiver)
    spans = receiver.of("arc2face-gateway")  # all sent, now that it has ended
    assert receiver.has("arc2face-gateway", trace)
    for name in (b"PortraitService/Generate", b"generation", b"queue", b"encode", b"denoise", b"vae_decode"):
        assert name in spans


def test_trace_goes_on_to_triton_through_a_gateway_that_exports_nothing(
    jar: Path, receiver: Receiver, triton: str, tmp_path: Path
) -> None:
    before = receiver.of("arc2face-gateway")
    trace = secrets.token_hex(16)
    options = ["-Dquarkus.log.console.json.enabled=true"]
    log = tmp_path / "gateway.log"
    with Gateway(jar, triton, log, java_options=options) as gateway:
        generate(gateway, trace, receiver)
    assert receiver.of("arc2face-gateway") == before
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    *_, ended = (line for line in lines if line["message"].startswith("generation "))
    assert ended["mdc"]["trace_id"] == trace
    assert ended["mdc"]["request_id"] in ended["message"]
