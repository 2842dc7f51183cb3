"""Checks each TensorRT engine against what ONNX Runtime computed of the same graph when it was exported.

Runs in the container in which the engines were built, and needs Python and trtexec alone: MODEL/check/ has inputs and
expected outputs as raw numbers, plan.json among them their types, shapes and tolerances. Every engine is run at the
smallest, the usual and the largest batch, filled by repeating the rows that are there: a row must not depend on the
others. Where Triton records CUDA graphs, so does this.
"""

import argparse
import json
import math
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
FORMATS = {"FP32": "f", "FP16": "e", "UINT8": "B"}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="*", help="default: all")
    parser.add_argument("--trtexec", default="/usr/src/tensorrt/bin/trtexec")
    parser.add_argument("--device", default="0")
    options = parser.parse_args()
    good = True
    for model in options.models or sorted(path.parents[1].name for path in HERE.glob("*/check/plan.json")):
        plan = json.loads((HERE / model / "check" / "plan.json").read_text())
        for rows in plan["rows"]:
            good &= check(model, plan, rows, options.trtexec, options.device)
    return 0 if good else 1


def check(model: str, plan: dict, rows: int, trtexec: str, device: str) -> bool:
    """Runs one engine at one batch size, prints a line for each output, and says whether all are near enough."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for tensor in plan["inputs"]:
            (folder / tensor["name"]).write_bytes(repeat(model, tensor, rows))
        shapes = ",".join(
            f"{tensor['name']}:{'x'.join(map(str, [rows, *tensor['dims']]))}" for tensor in plan["inputs"]
        )
        command = [
            trtexec,
            f"--loadEngine={HERE / model / '1' / 'model.plan'}",
            f"--shapes={shapes}",
            "--loadInputs=" + ",".join(f"{tensor['name']}:{tensor['name']}" for tensor in plan["inputs"]),
            f"--device={device}",
            "--warmUp=200",
            "--duration=1",
            "--dumpRawBindingsToFile",
            *(["--useCudaGraph"] if rows in plan["cuda_graphs"] else []),
        ]
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if run.returncode:
            print(
                f"{model}, {rows} rows: trtexec failed\n{(run.stdout + run.stderr)[-2000:]}", file=sys.stderr
            )
            return False
        time = re.search(r"GPU Compute Time: .*?mean = ([\d.]+) ms", run.stdout)
        good = True
        for tensor in plan["outputs"]:
            expected = repeat(model, tensor, rows)
            (file,) = folder.glob(f"{tensor['name']}.output.*.raw")
            error = relative_error(tensor["type"], file.read_bytes(), expected)
            near = error <= tensor["tolerance"]
            good &= near
            print(
                f"{model}, {rows} rows, {tensor['name']}: error {error:.2e}, at most {tensor['tolerance']:.0e}"
                f"{f', {time[1]} ms' if time else ''}: {'ok' if near else 'TOO FAR'}",
                flush=True,
            )
        return good


def repeat(model: str, tensor: dict, rows: int) -> bytes:
    """The tensor's stored rows, one after the other, until there are this many."""
    stored = (HERE / model / "check" / tensor["name"]).read_bytes()
    row = math.prod(tensor["dims"]) * struct.calcsize(FORMATS[tensor["type"]])
    return (stored * -(-rows * row // len(stored)))[: rows * row]


def relative_error(data_type: str, actual: bytes, expected: bytes) -> float:
    """The largest difference, relative to the largest expected value; of pictures the root mean square of 0..1.

    Infinite where the sizes differ or anything is not a number.
    """
    if len(actual) != len(expected):
        return math.inf
    a, b = ([x for (x,) in struct.iter_unpack(f"<{FORMATS[data_type]}", data)] for data in (actual, expected))
    if data_type == "UINT8":
        return math.sqrt(sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) / len(a)) / 255
    if not all(map(math.isfinite, a)):
        return math.inf
    return max(abs(x - y) for x, y in zip(a, b, strict=True)) / (max(map(abs, b)) or 1)


if __name__ == "__main__":
    sys.exit(main())
