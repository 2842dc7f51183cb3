"""Triton and the gateway as one: what `make run` and `make serve` stand on."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from serving import local_http
from serving.layout import TRITON_MODELS

SECONDS = 120
POLL_SECONDS = 0.2

Stack = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def stack(jar: Path, tmp_path: Path) -> Iterator[Stack]:
    """Starts `python -m serving.stack` with a command; whatever of it still runs after the test is ended."""
    with ExitStack() as started:

        def start(
            *command: str, jar: Path = jar, options: Sequence[str] = (), path: str | None = None
        ) -> subprocess.Popen[str]:
            all_options = [f"--jar={jar}", f"--logs={tmp_path}", *options]
            running = subprocess.Popen(
                [sys.executable, "-m", "serving.stack", *all_options, "--", *command],
                cwd=TRITON_MODELS,
                env=os.environ if path is None else os.environ | {"PATH": path},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            started.enter_context(running)
            started.callback(running.terminate)
            return running

        yield start


def left_over(folder: Path) -> list[str]:
    """The command lines that name the stack's folder, as Triton's and its interpreters' do."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = file.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(folder / "triton") in command:
            found.append(command)
    return found


def refuses(target: str) -> bool:
    host, port = target.split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) != 0


def advice(running: subprocess.Popen[str]) -> str:
    """What a stack without a command says when it is ready."""
    said = []
    for line in running.stdout:
        said.append(line)
        if "Ctrl-C stops everything" in line:
            return "".join(said)
    pytest.fail(running.stderr.read())


def found(pattern: str, text: str) -> str:
    return re.search(pattern, text)[1]


def await_(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(POLL_SECONDS)


def ask(address: str, path: str) -> Any:
    """What a server says in JSON; nothing where it says no."""
    host, port = address.split(":")
    body = local_http.get(host, int(port), path)
    return {} if body is None else json.loads(body)


def test_command_runs_on_ready_servers_and_its_exit_code_is_the_stacks(stack: Stack, tmp_path: Path) -> None:
    script = (
        "import socket, sys; host, port = sys.argv[1].split(':');"
        "socket.create_connection((host, int(port))).close(); print(sys.argv[1]); sys.exit(7)"
    )
    running = stack(sys.executable, "-c", script, "{target}")
    output, errors = running.communicate(timeout=SECONDS)
    assert running.returncode == 7, errors
    assert refuses(output.strip())
    assert left_over(tmp_path) == []


def test_signal_ends_everything(stack: Stack, tmp_path: Path) -> None:
    running = stack()
    said = advice(running)
    target = found(r"grpcurl -plaintext -d @ (\S+)", said)
    assert not refuses(target)
    assert ask(found(r"Health: http://([^/]+)/q/health", said), "/q/health")["status"] == "UP"
    assert left_over(tmp_path)

    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=SECONDS)
    assert running.returncode == 0, errors
    assert refuses(target)
    assert left_over(tmp_path) == []


def test_gateway_that_does_not_start_is_an_error_with_its_log(stack: Stack, tmp_path: Path) -> None:
    running = stack("true", jar=tmp_path / "nothing.jar")
    _, errors = running.communicate(timeout=SECONDS)
    assert running.returncode == 1
    assert "java ended with exit code 1" in errors
    assert "Unable to access jarfile" in errors
    assert left_over(tmp_path) == []


def test_what_is_not_installed_is_an_error_before_anything_starts(stack: Stack, tmp_path: Path) -> None:
    running = stack("true", options=["--prometheus"], path=str(tmp_path))
    _, errors = running.communicate(timeout=SECONDS)
    assert running.returncode == 1
    assert errors == "missing: prometheus: apt-get install prometheus\n"


@pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="no Prometheus (Debian: the package prometheus)"
)
def test_prometheus_reads_both_pages_and_has_the_alerts(stack: Stack) -> None:
    prometheus = found(r"Metrics and alerts: http://(\S+)", advice(stack(options=["--prometheus"])))

    def now(metric: str) -> dict[str, str]:
        samples = ask(prometheus, f"/api/v1/query?query={metric}")["data"]["result"]
        return {sample["metric"]["job"]: sample["value"][1] for sample in samples}

    await_(lambda: now("up") == {"gateway": "1", "triton": "1"})
    assert now("arc2face_ready") == {"gateway": "1"}
    assert set(now("nv_inference_count")) == {"triton"}
    groups = ask(prometheus, "/api/v1/rules")["data"]["groups"]
    assert [group["name"] for group in groups] == ["arc2face"]
