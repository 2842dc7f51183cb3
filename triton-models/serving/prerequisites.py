"""What this machine lacks for running Triton, each with the way to get it."""

import ctypes
import os
import platform
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

MINIMUM_GLIBC = (2, 35)


@dataclass(frozen=True)
class Missing:
    """One thing that is not there, and what to do about it."""

    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what}: {self.remedy}"


def missing(triton: Path) -> list[Missing]:
    """Everything that is missing, so that it can be mended at once. `triton`: see `layout.triton_home`."""
    found = [check_system(), check_glibc(), check_avx(), check_python(triton), check_libpython()]
    return [gap for gap in found if gap is not None]


def check_system() -> Missing | None:
    system, machine = platform.system(), platform.machine()
    if (system, machine) == ("Linux", "x86_64"):
        return None
    return Missing(
        f"Triton's PyPI package is for Linux on x86-64, this is {system} on {machine}",
        "use NVIDIA's container nvcr.io/nvidia/tritonserver, or another machine",
    )


def check_glibc() -> Missing | None:
    try:
        name, version = (os.confstr("CS_GNU_LIBC_VERSION") or "another libc 0.0").rsplit(" ", 1)
    except (ValueError, OSError):
        name, version = "another libc", "0.0"
    if name == "glibc" and tuple(int(part) for part in version.split(".")[:2]) >= MINIMUM_GLIBC:
        return None
    return Missing(
        f"Triton needs glibc 2.35 or newer, this is {name} {version}",
        "use Debian 12, Ubuntu 22.04, Fedora 36 or newer",
    )


def check_avx() -> Missing | None:
    if "avx" in cpu_flags():
        return None
    return Missing("the CPU has no AVX", "use a CPU (or a virtual machine's CPU model) that has it")


def check_python(triton: Path) -> Missing | None:
    if stub(triton).is_file():
        return None
    versions = sorted(path.name for path in (triton / "python_backend_stubs").glob("3.*"))
    return Missing(
        f"Triton has no interpreter for Python {python_version()}",
        f"make the virtual environment with one of: {', '.join(versions)} (make PYTHON=python3.11 ...)",
    )


def check_libpython() -> Missing | None:
    if own_libpython() is not None or loadable(libpython_name()):
        return None
    version = python_version()
    return Missing(
        f"the library {libpython_name()} cannot be loaded",
        f"apt-get install libpython{version} (Debian, Ubuntu) or dnf install python{version}-libs (Fedora)",
    )


def python_version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def stub(triton: Path) -> Path:
    """Triton's executable that runs Python-based backends with this version of Python."""
    return triton / "python_backend_stubs" / python_version() / "triton_python_backend_stub"


def libpython_name() -> str:
    return f"libpython{python_version()}.so.1.0"


def own_libpython() -> Path | None:
    """The shared library of this very interpreter, where it was built with one."""
    path = Path(sysconfig.get_config_var("LIBDIR") or "/nonexistent") / libpython_name()
    return path if path.is_file() else None


def loadable(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def cpu_flags() -> frozenset[str]:
    """The instruction sets of the first CPU, as the kernel names them."""
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.is_file():
        return frozenset()
    for line in cpuinfo.read_text().splitlines():
        if line.startswith("flags"):
            return frozenset(line.partition(":")[2].split())
    return frozenset()
