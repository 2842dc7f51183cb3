"""Triton and the gateway as one: what `make run` and `make serve` stand on."""

import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from serving.layout import TRITON_MODELS

SECONDS = 120

Stack = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def stack(jar: Path, tmp_path: Path) -> Iterator[Stack]:
    """Starts `python -m serving.stack` with a command; whatever of it still runs after the test is ended."""
    with ExitStack() as started:

        def start(*command: str, jar: Path = jar) -> subprocess.Popen[str]:
            running = subprocess.Popen(
                [sys.executable, "-m", "serving.stack", f"--jar={jar}", f"--logs={tmp_path}", "--", *command],
                cwd=TRITON_MODELS,
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
    advice = []
    for line in running.stdout:
        advice.append(line)
        if "Ctrl-C stops everything" in line:
            break
    call = next(line for line in advice if "grpcurl -plaintext -d @" in line)
    target = call.split()[-2]
    assert not refuses(target)
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
