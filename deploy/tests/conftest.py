"""A real Triton for the tests, with the flags of a deployment."""

import contextlib
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from manifests import ROOT

VENV = ROOT / ".venv/bin/python"


@pytest.fixture(scope="session")
def triton() -> Callable[..., AbstractContextManager[dict[str, Any]]]:
    """Where it listens, by serving.triton.Listening's names; `flags` are the deployment's."""

    @contextmanager
    def start(*flags: str) -> Iterator[dict[str, Any]]:
        command = [VENV, Path(__file__).with_name("production_triton.py"), *flags]
        env = os.environ | {"PYTHONPATH": str(ROOT / "triton-models")}
        process = subprocess.Popen(
            command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            line = process.stdout.readline()
            if not line:
                pytest.fail(process.stderr.read())
            yield json.loads(line)
        finally:
            process.terminate()
            with contextlib.suppress(KeyboardInterrupt):
                process.communicate(timeout=60)

    return start
