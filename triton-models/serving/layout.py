"""Lays out what tritonserver reads: its backends and the model repository, both inside one run's folder.

    RUN/nvidia_pytriton.libs                          link to Triton's shared libraries
    RUN/pytriton/tritonserver/backends/python/        library and interpreter stub, copied
    RUN/pytriton/tritonserver/backends/onnxruntime/   our Python-based backend, copied
    RUN/lib/                                          link to libpython where only this interpreter has it
    RUN/models/NAME/config.pbtxt                      the model's configuration and the facts of this replica
    RUN/models/NAME/VERSION                           link to the model's files

The libraries look for each other relative to their own place, and Triton refuses a library that is a link to
another folder; the layout therefore repeats that of the Python package. Nothing is written into the package.
"""

import importlib.metadata
import shutil
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from serving import prerequisites

TRITON_MODELS = Path(__file__).resolve().parent.parent

# The best first; named as the kernel names them.
INSTRUCTION_SETS = ("amx_int8", "avx512_bf16", "avx512_vnni", "avx512f", "avx_vnni", "avx2", "avx")


def triton_home() -> Path:
    """The folder of Triton in the package nvidia-pytriton, found without importing that package."""
    package = find_spec("pytriton")
    if package is None or not package.submodule_search_locations:
        raise FileNotFoundError(
            f"no Triton in {sys.prefix}: pip install --no-deps --require-hashes -r requirements/serve.txt"
        )
    return Path(package.submodule_search_locations[0]) / "tritonserver"


def site_packages() -> Path:
    return triton_home().parent.parent


def find_repository(name: str) -> Path:
    """A model repository by its path, or by the name of one of ours (`mini`)."""
    for path in (Path(name), TRITON_MODELS / name):
        if any(path.glob("*/config.pbtxt")):
            return path.resolve()
    raise FileNotFoundError(f"no model repository '{name}' (a folder with MODEL/config.pbtxt)")


def lay_out_backends(run: Path) -> Path:
    """Makes the folder for --backend-directory and returns it."""
    triton = triton_home()
    backends = run / "pytriton" / "tritonserver" / "backends"
    python, ours = backends / "python", backends / "onnxruntime"
    python.mkdir(parents=True)
    ours.mkdir()
    for file in ("libtriton_python.so", "triton_python_backend_utils.py"):
        shutil.copy2(triton / "backends" / "python" / file, python)
    shutil.copy2(prerequisites.stub(triton), python)
    shutil.copy2(TRITON_MODELS / "backends" / "onnxruntime" / "model.py", ours)
    (run / "nvidia_pytriton.libs").symlink_to(site_packages() / "nvidia_pytriton.libs")
    return backends


def lay_out_libraries(run: Path) -> Path:
    """Makes the folder for LD_LIBRARY_PATH, with this interpreter's libpython if it has one; returns it."""
    folder = run / "lib"
    folder.mkdir()
    library = prerequisites.own_libpython()
    if library is not None:
        (folder / library.name).symlink_to(library)
    return folder


def stage_models(repository: Path, run: Path, facts: Mapping[str, str]) -> Path:
    """Makes the folder for --model-repository, `facts` added to each model's parameters, and returns it."""
    staged = run / "models"
    for config in sorted(repository.glob("*/config.pbtxt")):
        model = staged / config.parent.name
        model.mkdir(parents=True)
        parameters = [
            f'parameters {{ key: "{key}" value {{ string_value: "{value}" }} }}'
            for key, value in facts.items()
        ]
        (model / config.name).write_text("\n".join([config.read_text(), *parameters, ""]))
        for version in config.parent.iterdir():
            if version.is_dir():
                (model / version.name).symlink_to(version)
    return staged


def facts_of_this_replica() -> dict[str, str]:
    """What decides, beside the models' hashes, whether two replicas give the same bytes."""
    flags = prerequisites.cpu_flags()
    best = next((name for name in INSTRUCTION_SETS if name in flags), "none")
    version = importlib.metadata.version("onnxruntime")
    return {"engine": f"onnxruntime {version} (Python-based backend)", "instruction_set": best}
