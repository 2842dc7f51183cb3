"""Real servers for the tests, each started once per run."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.layout import TRITON_MODELS, find_repository
from serving.triton import Options, Triton
from tests.client import Client
from tests.small_models import HALF, LOOKUP, MIX, TABLE

JAR = TRITON_MODELS.parent / "gateway" / "target" / "quarkus-app" / "quarkus-run.jar"

# Long enough for a burst of requests to arrive; a batch that is full does not wait.
GATHERING = "dynamic_batching { preferred_batch_size: [16] max_queue_delay_microseconds: 2000000 }"


@pytest.fixture(scope="session")
def jar() -> Path:
    """The gateway's; what needs it is skipped where it has not been built."""
    if not JAR.is_file():
        pytest.skip("the gateway is not built (make setup builds it)")
    return JAR


@pytest.fixture(scope="session")
def small_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models of a few nodes, whose batcher waits for 16 rows."""
    repository = tmp_path_factory.mktemp("small")
    for name, model in {"mix": MIX, "half": HALF, "lookup": LOOKUP, "table": TABLE}.items():
        model.save(repository, name, external_data=model is TABLE)
        gather(repository / name / "config.pbtxt")
    return repository


@pytest.fixture(scope="session")
def small(small_repository: Path) -> Iterator[Client]:
    with Triton(Options(repository=str(small_repository))) as triton, Client(triton.listening) as client:
        yield client


@pytest.fixture(scope="session")
def mini() -> Iterator[Client]:
    """The mini profile as it is served."""
    with Triton(Options(repository="mini")) as triton, Client(triton.listening) as client:
        yield client


@pytest.fixture(scope="session")
def gathering_mini(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A second replica of the mini profile, whose batchers wait for 16 rows."""
    repository = tmp_path_factory.mktemp("gathering") / "mini"
    shutil.copytree(find_repository("mini"), repository)
    for config in repository.glob("*/config.pbtxt"):
        gather(config)
    with Triton(Options(repository=str(repository))) as triton, Client(triton.listening) as client:
        yield client


def gather(config: Path) -> None:
    text, count = re.subn(r"dynamic_batching \{.*?\}", GATHERING, config.read_text())
    assert count == 1, f"{config} has no dynamic_batching"
    batch = int(re.search(r"max_batch_size: (\d+)", text)[1])
    config.write_text(text.replace("[16]", f"[{batch}]"))
