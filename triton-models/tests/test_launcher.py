"""The launcher as a process: what it starts, says and leaves behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import onnx
import pytest

from export.config import serve_with, write_config
from serving.child import living
from tests.small_models import HALF, MIX, TABLE

TRITON_MODELS = Path(__file__).resolve().parent.parent
SECONDS = 60


class Launcher:
    """`python -m serving` with a ready file."""

    def __init__(self, folder: Path, repository: Path, *arguments: str) -> None:
        self.ready_file = folder / f"ready-{time.monotonic_ns()}.json"
        self.command = [sys.executable, "-m", "serving", f"--repository={repository}", *arguments]
        self.command.append(f"--ready-file={self.ready_file}")
        self.process = subprocess.Popen(
            self.command,
            cwd=TRITON_MODELS,
            env=os.environ | {"TMPDIR": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ready(self) -> dict:
        await_that(lambda: self.ready_file.exists() or self.process.poll() is not None)
        assert self.process.poll() is None, self.process.communicate()[1]
        return json.loads(self.ready_file.read_text())

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(SECONDS)

    def refusal(self) -> str:
        """What it says when it does not start."""
        _, message = self.process.communicate(timeout=SECONDS)
        assert self.process.returncode == 1
        return message


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[..., Launcher]]:
    launched: list[Launcher] = []

    def start(repository: Path, *arguments: str) -> Launcher:
        launched.append(Launcher(tmp_path, repository, *arguments))
        return launched[-1]

    yield start
    for launcher in launched:
        if launcher.process.poll() is None:
            launcher.process.kill()
        launcher.process.communicate(timeout=SECONDS)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    MIX.save(tmp_path / "models", "mix")
    HALF.save(tmp_path / "models", "half")
    return tmp_path / "models"


def await_that(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "not true in time"
        time.sleep(0.02)


def shared_memory(identity: str) -> list[Path]:
    return list(Path("/dev/shm").glob(f"{identity}*"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_triton_and_leaves_nothing(launch: Callable, repository: Path, number: int) -> None:
    launcher = launch(repository)
    ready = launcher.ready()
    assert len(living(ready["pid"])) == 3, "tritonserver and one interpreter per model"
    assert shared_memory(ready["id"])
    assert Path(ready["log"]).exists()

    assert launcher.stop(number) == 0
    assert living(ready["pid"]) == []
    assert shared_memory(ready["id"]) == []
    assert not launcher.ready_file.exists()
    assert not Path(ready["log"]).exists(), "the temporary run folder is removed"


def test_launcher_says_where_everything_listens(launch: Callable, repository: Path) -> None:
    launcher = launch(repository, "--json")
    ready = launcher.ready()
    assert json.loads(launcher.process.stdout.readline()) == ready
    assert ready["models"] == ["half", "mix"]
    base = f"http://{ready['host']}"
    assert urlopen(f"{base}:{ready['http']}/v2/models/mix/ready", timeout=60).status == 200
    assert b"nv_inference_count" in urlopen(f"{base}:{ready['metrics']}/metrics", timeout=60).read()
    socket.create_connection((ready["host"], ready["grpc"]), timeout=60).close()

    with urlopen(f"{base}:{ready['http']}/v2/models/mix/config", timeout=60) as response:
        parameters = json.load(response)["parameters"]
    assert parameters["engine"]["string_value"].endswith("(Python-based backend)")
    assert parameters["instruction_set"]["string_value"].startswith(("avx", "amx"))
    assert "engine" not in (repository / "mix" / "config.pbtxt").read_text(), "the repository is not touched"


def test_models_exported_for_a_gpu_are_served_unchanged(launch: Callable, repository: Path) -> None:
    for model in ("half", "mix"):
        serve_with(repository / model, "onnxruntime")
    ready = launch(repository).ready()

    address = f"http://{ready['host']}:{ready['http']}/v2/models/mix/config"
    with urlopen(address, timeout=60) as response:
        config = json.load(response)
    assert config["instance_group"][0]["kind"] in ("KIND_CPU", "KIND_GPU"), "what this machine has"
    assert config["optimization"]["execution_accelerators"]["gpu_execution_accelerator"][0]["name"] == "cuda"


def test_another_python_in_the_path_does_not_matter(
    launch: Callable, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its standard library, told by the file os.py, holds nothing."""
    other = tmp_path / "other"
    library = other / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    library.mkdir(parents=True)
    (library / "os.py").touch()
    (other / "bin").mkdir()
    (other / "bin" / "python3").write_text("#!/bin/false\n")
    (other / "bin" / "python3").chmod(0o755)
    monkeypatch.setenv("PATH", str(other / "bin"), prepend=os.pathsep)

    assert launch(repository).ready()["models"] == ["half", "mix"]


def test_triton_ends_with_a_killed_launcher(launch: Callable, repository: Path) -> None:
    launcher = launch(repository)
    ready = launcher.ready()
    launcher.stop(signal.SIGKILL)
    await_that(lambda: not living(ready["pid"]))
    assert shared_memory(ready["id"]) == []


def test_launcher_ends_with_a_killed_triton(launch: Callable, repository: Path) -> None:
    launcher = launch(repository)
    ready = launcher.ready()
    os.kill(ready["pid"], signal.SIGKILL)
    assert launcher.process.wait(SECONDS) == 1
    assert "tritonserver ended with exit code -9" in launcher.process.stderr.read()
    assert living(ready["pid"]) == []
    assert shared_memory(ready["id"]) == []


def test_launcher_ends_with_its_parent_if_asked(tmp_path: Path, repository: Path) -> None:
    ready_file = tmp_path / "ready.json"
    command = f"'{sys.executable}' -m serving --repository='{repository}' --ready-file='{ready_file}'"
    shell = subprocess.Popen(["sh", "-c", f"{command} --die-with-parent & wait"], cwd=TRITON_MODELS)
    await_that(ready_file.exists)
    ready = json.loads(ready_file.read_text())

    shell.kill()
    shell.wait()
    await_that(lambda: not living(ready["pid"]))
    await_that(lambda: not ready_file.exists())


def test_two_launchers_do_not_meet(launch: Callable, repository: Path) -> None:
    launchers = [launch(repository), launch(repository)]
    first, second = (launcher.ready() for launcher in launchers)
    assert not {first[port] for port in ("grpc", "http", "metrics")} & {
        second[port] for port in ("grpc", "http", "metrics")
    }
    assert launchers[0].stop() == 0
    assert urlopen(f"http://{second['host']}:{second['http']}/v2/health/ready", timeout=60).status == 200


def test_run_folder_has_one_owner_and_can_be_used_again(
    launch: Callable, repository: Path, tmp_path: Path
) -> None:
    folder = f"--run-dir={tmp_path / 'run'}"
    first = launch(repository, folder)
    first.ready()
    assert "another launcher uses the run folder" in launch(repository, folder).refusal()

    first.stop(signal.SIGKILL)
    assert launch(repository, folder).ready()["models"] == ["half", "mix"]


@pytest.mark.parametrize("port", ["grpc", "http", "metrics"])
def test_taken_port_is_named(launch: Callable, repository: Path, port: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        assert f"port {taken} of 127.0.0.1" in launch(repository, f"--{port}-port={taken}").refusal()


def test_models_that_break_the_contract_are_refused_by_name(launch: Callable, tmp_path: Path) -> None:
    repository = tmp_path / "models"
    for name in ("exchanged", "dims", "type", "names", "hashless"):
        MIX.save(repository, name)
    with (repository / "exchanged" / "1" / "model.onnx").open("ab") as model:
        model.write(b"\0")
    TABLE.save(repository, "other-data", external_data=True)
    with (repository / "other-data" / "1" / "model.onnx.data").open("r+b") as data:
        data.write(b"\1")
    edit(repository / "dims", "dims: [1]", "dims: [2]")
    edit(repository / "type", "TYPE_FP32 dims: [1]", "TYPE_FP16 dims: [1]")
    edit(repository / "names", '"negated"', '"nagated"')
    edit(repository / "hashless", 'key: "model_sha256"', 'key: "sha"')
    HALF.save(repository, "fixed")
    fix_batch(repository / "fixed")

    message = launch(repository).refusal()

    assert "model 'exchanged': the sha256 of 1/model.onnx is" in message
    assert "model 'other-data': the sha256 of 1/model.onnx and 1/model.onnx.data is" in message
    assert (
        "model 'dims': input 'timestep' has dims [2] in config.pbtxt, shape ['B', 1] in the graph" in message
    )
    assert (
        "model 'type': input 'timestep' is TYPE_FP16 in config.pbtxt, tensor(float) in the graph" in message
    )
    assert "model 'names': config.pbtxt has the outputs ['nagated', 'scaled']" in message
    assert "model 'hashless': its config.pbtxt has no parameter model_sha256" in message
    assert "model 'fixed': input 'x' has no free batch axis in the graph, its shape is [1, 6]" in message


def edit(model: Path, old: str, new: str) -> None:
    config = model / "config.pbtxt"
    text = config.read_text()
    assert old in text
    config.write_text(text.replace(old, new))


def fix_batch(folder: Path) -> None:
    """Gives the graph a batch axis of 1, in a configuration that is right otherwise."""
    path = folder / "1" / "model.onnx"
    model = onnx.load(path)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 1
    onnx.save(model, path)
    write_config(folder, folder.name, 16, HALF.inputs, HALF.outputs, {})


def test_unknown_repository_is_named(launch: Callable, tmp_path: Path) -> None:
    assert "no model repository" in launch(tmp_path / "nowhere").refusal()
