"""Runs in the environment of requirements/export.txt (`make test-export`); elsewhere there is nothing to collect."""

from importlib.util import find_spec
from pathlib import Path

import pytest

if find_spec("diffusers") is None:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published layout at the reduced size, with random weights. Not to be changed."""
    from export.arc2face import random_weights

    folder = tmp_path_factory.mktemp("published")
    random_weights.write(folder, "reduced")
    return folder
