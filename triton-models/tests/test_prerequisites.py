"""Everything that may be missing is named, with the way to get it."""

import os
import platform
from pathlib import Path

import pytest

from serving import prerequisites
from serving.layout import triton_home


def test_nothing_is_missing_here() -> None:
    assert prerequisites.missing(triton_home()) == []


def test_missing_libpython_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prerequisites, "python_version", lambda: "3.11")
    monkeypatch.setattr(prerequisites, "own_libpython", lambda: None)
    monkeypatch.setattr(prerequisites, "loadable", lambda library: False)
    (gap,) = prerequisites.missing(triton_home())
    assert "libpython3.11.so.1.0 cannot be loaded" in str(gap)
    assert "apt-get install libpython3.11" in str(gap)


@pytest.mark.parametrize("version", ["glibc 2.31", "musl"])
def test_old_or_other_libc_is_named(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr(os, "confstr", lambda name: version)
    (gap,) = prerequisites.missing(triton_home())
    assert "Triton needs glibc 2.35 or newer" in str(gap)
    assert "Debian 12" in str(gap)


def test_cpu_without_avx_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prerequisites, "cpu_flags", lambda: frozenset({"sse4_2"}))
    (gap,) = prerequisites.missing(triton_home())
    assert "no AVX" in str(gap)


def test_other_processor_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    (gap,) = prerequisites.missing(triton_home())
    assert "Linux on x86-64, this is Linux on aarch64" in str(gap)


def test_python_without_a_stub_is_named(tmp_path: Path) -> None:
    for version in ("3.10", "3.11"):
        (tmp_path / "python_backend_stubs" / version).mkdir(parents=True)
    (gap,) = prerequisites.missing(tmp_path)
    assert "no interpreter for Python" in str(gap)
    assert "one of: 3.10, 3.11" in str(gap)
