"""The build script, up to the commands that TensorRT would be given, and the check of what comes back."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig

from export.arc2face import engines
from tests.arc2face.standins import Machine
from tests.small_models import COMPRESS, TABLE

MINI = Path(__file__).parents[2] / "mini"
ON_TENSORRT = ("arcface", "encoder", "vae_decoder")
SHELLCHECK = Path(sys.executable).with_name("shellcheck")

Build = Callable[..., subprocess.CompletedProcess]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small models of the contract, with what `--engine tensorrt` adds to them."""
    out = tmp_path_factory.mktemp("written")
    for model in (*ON_TENSORRT, "face_detector"):
        shutil.copytree(MINI / model, out / model)
    TABLE.save(out, "table", external_data=True)
    engines.write_build_script(out, "fp32")
    return out


@pytest.fixture
def out(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "out"))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "machine")


@pytest.fixture
def build(out: Path, machine: Machine) -> Build:
    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
        command = [str(out / "build-engines"), *arguments]
        return subprocess.run(command, env=machine.environment(**environment), capture_output=True, text=True)

    return run


def test_dry_run_prints_the_commands_that_are_run(build: Build, machine: Machine, out: Path) -> None:
    plan = build("--dry-run")
    assert plan.returncode == 0, plan.stderr
    assert machine.calls() == []
    assert not list(out.glob("*/1/model.plan*"))

    done = build("--no-check")
    assert done.returncode == 0, done.stderr
    planned = plan.stdout.splitlines()
    assert machine.calls() == [line for line in planned if " --saveEngine=" in line]
    moves = [
        f"mv {model}/1/model.plan.part {model}/1/model.plan"
        for model in (*ON_TENSORRT[:2], "table", "vae_decoder")
    ]
    assert [line for line in planned if line.startswith("mv ")] == moves
    assert planned[-1].startswith("python3 check-engines.py --trtexec ")
    assert len(planned) == 2 * len(moves) + 1
    assert all((out / model / "1" / "model.plan").exists() for model in (*ON_TENSORRT, "table"))


def test_dry_run_needs_neither_gpu_nor_tensorrt(out: Path) -> None:
    plan = subprocess.run([str(out / "build-engines"), "--dry-run"], capture_output=True, text=True)
    assert plan.returncode == 0, plan.stderr
    assert plan.stdout.startswith("/usr/src/tensorrt/bin/trtexec --onnx=arcface/1/model.onnx ")


def test_command_of_a_model_in_full(build: Build, machine: Machine) -> None:
    assert build(
        "--only", "vae_decoder", "--dry-run", "--device", "1", "--workspace", "512"
    ).stdout.splitlines()[0] == (
        f"{machine.tools}/trtexec --onnx=vae_decoder/1/model.onnx --saveEngine=vae_decoder/1/model.plan.part"
        " --timingCacheFile=timing.cache --memPoolSize=workspace:512 --device=1 --skipInference"
        " --minShapes=latents:1x4x16x16 --optShapes=latents:4x4x16x16 --maxShapes=latents:16x4x16x16"
        " --stronglyTyped --noTF32"
    )


def test_profiles_cover_all_that_the_gateway_can_send(build: Build, out: Path) -> None:
    commands = [line for line in build("--dry-run").stdout.splitlines() if "--onnx=" in line]
    assert len(commands) == 4
    for command in commands:
        given = dict(re.findall(r"--(\w+)=(\S+)", command))
        model = Path(given["onnx"]).parts[0]
        config = text_format.Parse((out / model / "config.pbtxt").read_text(), ModelConfig())
        rows = {}
        for end in ("min", "opt", "max"):
            shapes = dict(item.split(":") for item in given[f"{end}Shapes"].split(","))
            sizes = {name: [int(size) for size in shape.split("x")] for name, shape in shapes.items()}
            assert {name: shape[1:] for name, shape in sizes.items()} == {
                t.name: list(t.dims) for t in config.input
            }
            (rows[end],) = {shape[0] for shape in sizes.values()}
        assert rows["min"] == 1
        assert rows["max"] == config.max_batch_size
        assert 1 <= rows["opt"] <= config.max_batch_size
        assert all(spec.batch_size <= rows["max"] for spec in config.optimization.cuda.graph_spec)


def test_half_precision_graphs_keep_their_types_and_may_use_tf32(out: Path, tmp_path: Path) -> None:
    script = engines.write_build_script(out, "fp16")
    commands = subprocess.run([str(script), "--dry-run"], capture_output=True, text=True).stdout
    assert "--stronglyTyped" in commands
    assert "--noTF32" not in commands
    assert "--fp16" not in commands, "which would let TensorRT lower what the export kept in FP32"


def test_engines_are_kept_until_something_changes(build: Build, machine: Machine, out: Path) -> None:
    build("--no-check")
    assert len(machine.calls()) == 4
    assert build("--no-check").stdout.count(": kept") == 4
    assert machine.calls() == []

    (out / "encoder" / "1" / "model.plan").unlink()
    build("--no-check")
    assert len(machine.calls()) == 1
    build("--no-check", "--workspace", "1")
    assert len(machine.calls()) == 4
    build("--no-check", "--workspace", "1", GPU="Another GPU")
    assert len(machine.calls()) == 4


def test_an_interrupted_build_goes_on_where_it_stopped(build: Build, machine: Machine, out: Path) -> None:
    failed = build("--no-check", FAIL="encoder")
    assert failed.returncode == 1
    assert "no implementation for this layer" in failed.stderr
    assert "encoder: trtexec failed, all of it is in encoder/build.log" in failed.stderr
    assert not list((out / "encoder" / "1").glob("model.plan*"))
    machine.calls()

    assert build("--no-check").returncode == 0
    assert [Path(call.split("--onnx=")[1]).parts[0] for call in machine.calls()] == [
        "encoder",
        "table",
        "vae_decoder",
    ]


@pytest.mark.parametrize(
    ("environment", "reason", "forcible"),
    [
        (
            {"TENSORRT": "100300"},
            "trtexec is of TensorRT 100300, nvcr.io/nvidia/tritonserver:24.10-py3 has 10.5",
            True,
        ),
        ({"TENSORRT": ""}, "trtexec is of TensorRT of unknown version", True),
        ({"FREE": "0"}, "MiB of GPU memory, 0 are free: end what else uses the GPU, or take another", True),
        (
            {"TRTEXEC": "/nowhere/trtexec"},
            "no trtexec: run this in nvcr.io/nvidia/tritonserver:24.10-py3",
            False,
        ),
    ],
    ids=["version", "unknown version", "memory", "trtexec"],
)
def test_what_does_not_fit_is_said_and_nothing_is_built(
    build: Build, machine: Machine, environment: dict[str, str], reason: str, forcible: bool
) -> None:
    refused = build("--no-check", **environment)
    assert refused.returncode == 1
    assert reason in refused.stderr
    assert machine.calls() == []

    assert (build("--no-check", "--force", **environment).returncode == 0) == forcible


def test_machine_without_a_gpu_is_told_so(build: Build, machine: Machine, tmp_path: Path) -> None:
    smi = machine.tools / "nvidia-smi"
    smi.write_text("#!/bin/sh\necho No devices were found; exit 6\n")
    assert "finds no GPU 3: No devices were found" in build("--device", "3").stderr


def test_a_model_that_was_exchanged_is_not_built(build: Build, machine: Machine, out: Path) -> None:
    with (out / "table" / "1" / "model.onnx.data").open("r+b") as data:
        data.write(b"\1")
    refused = build("--no-check", "--only", "table")
    assert refused.returncode == 1
    assert "table/1/model.onnx is not what was exported" in refused.stderr
    assert machine.calls() == []


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--fast"], "unknown option --fast"),
        (["--only"], "--only needs a value"),
        (["--only", "unet"], "no engine for 'unet'; there are: arcface encoder table vae_decoder"),
        (["--device", "all"], "--device is a number"),
        (["--workspace", "4G"], "--workspace is a number of MiB"),
    ],
)
def test_wrong_arguments_are_named(build: Build, arguments: list[str], reason: str) -> None:
    refused = build(*arguments)
    assert refused.returncode == 1
    assert reason in refused.stderr


def test_help_tells_every_option(build: Build, out: Path) -> None:
    options = set(re.findall(r"^ +(--[a-z-]+)(?: \||\))", (out / "build-engines").read_text(), re.MULTILINE))
    text = build("--help").stdout
    assert len(options) >= 6
    assert all(option in text for option in options)


def test_engines_are_checked_at_every_batch_size(build: Build, machine: Machine) -> None:
    done = build()
    assert done.returncode == 0, done.stdout + done.stderr
    runs = [call for call in machine.calls() if "--loadEngine=" in call]
    assert (
        len(runs)
        == len(re.findall(r" rows, (?:embedding|context|y|image): .*, 2.5 ms: ok", done.stdout))
        == 10
    )
    graphs = [call for call in runs if "--useCudaGraph" in call]
    assert [re.search(r"--shapes=\w+:(\d+)", call)[1] for call in graphs] == ["1", "4", "1"], (
        "arcface, encoder"
    )


@pytest.mark.parametrize(("spoil", "good"), [("1.0005", True), ("1.01", False), ("nan", False)])
def test_an_engine_that_computes_something_else_fails(build: Build, spoil: str, good: bool) -> None:
    done = build("--only", "encoder", SPOIL=spoil)
    assert (done.returncode == 0) == good, done.stdout
    assert ("TOO FAR" in done.stdout) != good


def test_check_fails_with_the_engine(build: Build) -> None:
    done = build("--only", "encoder", FAIL="--loadEngine")
    assert done.returncode == 1
    assert "encoder, 1 rows: trtexec failed" in done.stderr


def test_references_are_different_rows_at_different_timesteps(tmp_path: Path) -> None:
    shutil.copytree(MINI / "unet", tmp_path / "unet")
    graph = onnx.load(MINI / "unet" / "1" / "model.onnx").graph
    plan = engines.Plan(
        "unet", (1, 8, 16), engines.signature(graph.input), engines.signature(graph.output), (), "", 0, 0
    )
    made = engines.examples(plan, None)
    assert all((array[0] != array[1]).any() for array in made.values())


def test_shell_script_is_posix(out: Path) -> None:
    subprocess.run(["sh", "-n", out / "build-engines"], check=True)
    found = subprocess.run([SHELLCHECK, "--shell=sh", out / "build-engines"], capture_output=True, text=True)
    assert found.returncode == 0, found.stdout


def test_checker_needs_python_alone(out: Path) -> None:
    """As the container's: isolated, without site-packages."""
    command = [sys.executable, "-I", "-S", out / "check-engines.py", "--help"]
    assert "TensorRT engine" in subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_repository_has_no_folder_that_triton_would_take_for_a_model_or_a_version(
    out: Path, build: Build
) -> None:
    build()
    models = {path.parent.name for path in out.glob("*/config.pbtxt")}
    assert {path.name for path in out.iterdir() if path.is_dir()} == models
    for model in models:
        assert {path.name for path in (out / model).iterdir() if path.name.isdigit()} == {"1"}


def test_a_graph_that_tensorrt_refuses_stays_in_onnxruntime(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    COMPRESS.save(tmp_path, "face_detector")
    TABLE.save(tmp_path, "arcface")
    script = engines.write_build_script(tmp_path, "fp32").read_text()
    assert capsys.readouterr().err == (
        "face_detector stays in ONNX Runtime: operator ai.onnx.Compress is not supported;"
        " Compress gives 'y' an unknown shape\n"
    )
    assert "face_detector" not in script
    backends = {
        path.parent.name: text_format.Parse(path.read_text(), ModelConfig()).backend
        for path in tmp_path.glob("*/config.pbtxt")
    }
    assert backends == {"face_detector": "onnxruntime", "arcface": "tensorrt"}
