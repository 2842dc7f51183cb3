"""What the build script finds on a machine with a GPU, for machines without: trtexec and nvidia-smi.

They take and give what the real ones do (samples/trtexec of NVIDIA/TensorRT 10.5). An "engine" is the name of its
ONNX graph, and running it is running that graph in ONNX Runtime: what is tested is the script, never TensorRT.
"""

import os
import stat
import sys
from pathlib import Path

TRTEXEC = """#!{python}
import os, sys
from pathlib import Path

given = dict(argument.split("=", 1) if "=" in argument else (argument, "") for argument in sys.argv[1:])
if "--help" in given:
    print("&&&& RUNNING TensorRT.trtexec [TensorRT v" + os.environ["TENSORRT"] + "] [b18] # trtexec --help")
    sys.exit()
with Path(os.environ["CALLS"]).open("a") as calls:
    calls.write(" ".join(sys.argv) + "\\n")
if os.environ.get("FAIL", "nothing") in sys.argv[1]:
    print("[E] no implementation for this layer")
    sys.exit(1)
if "--saveEngine" in given:
    Path(given["--saveEngine"]).write_text(str(Path(given["--onnx"]).resolve()))
    sys.exit()

import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession(Path(given["--loadEngine"]).read_text(), providers=["CPUExecutionProvider"])
shapes = dict(item.split(":") for item in given["--shapes"].split(","))
files = dict(item.split(":") for item in given["--loadInputs"].split(","))
types = {{"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}}
feed = {{
    tensor.name: np.fromfile(files[tensor.name], types[tensor.type]).reshape(
        [int(size) for size in shapes[tensor.name].split("x")]
    )
    for tensor in session.get_inputs()
}}
names = [tensor.name for tensor in session.get_outputs()]
for name, array in zip(names, session.run(names, feed)):
    spoilt = (array * float(os.environ.get("SPOIL", "1"))).astype(array.dtype)
    spoilt.tofile(f"{{name}}.output.{{'.'.join(map(str, array.shape))}}.type.raw")
print("[I] GPU Compute Time: min = 1 ms, max = 3 ms, mean = 2.5 ms, median = 2 ms")
"""

NVIDIA_SMI = """#!/bin/sh
case "$*" in
    *query-gpu=name*) echo "${GPU:-Some GPU}" ;;
    *query-gpu=memory.free*) echo "${FREE:-80000}" ;;
esac
"""


class Machine:
    """A machine with both tools on its path; `environment` says how they behave."""

    def __init__(self, folder: Path) -> None:
        self.tools, self.calls_file = folder / "bin", folder / "calls"
        self.tools.mkdir(parents=True)
        for name, text in {
            "trtexec": TRTEXEC.format(python=sys.executable),
            "nvidia-smi": NVIDIA_SMI,
        }.items():
            tool = self.tools / name
            tool.write_text(text)
            tool.chmod(tool.stat().st_mode | stat.S_IXUSR)

    def environment(self, **changes: str) -> dict[str, str]:
        path = os.pathsep.join([str(self.tools), os.environ["PATH"]])
        return os.environ | {"PATH": path, "TENSORRT": "100500", "CALLS": str(self.calls_file)} | changes

    def calls(self) -> list[str]:
        """Every command that trtexec got since the last time."""
        if not self.calls_file.exists():
            return []
        lines = self.calls_file.read_text().splitlines()
        self.calls_file.unlink()
        return lines
