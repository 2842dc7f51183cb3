"""A scenario is a configuration of ghz in which some things are left to the moment when it runs.

- `{embedding}` in its data becomes a random embedding of the served size and recogniser, `{photo}` a photo's bytes;
  a record with a photo becomes one record for each photo. ghz takes a list's records in turn.
- `vary` maps an option to the values that it takes in turn, every combination of them one run. `rows` is no option of
  ghz: it is the number of rows of a raw step.
- A call of Triton itself takes its message from Triton's own description of the UNet (loadtest.ghz.raw).
"""

import base64
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

SCENARIOS = Path(__file__).parent / "scenarios"
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


@dataclass(frozen=True)
class Served:
    """What a request has to fit."""

    embedding_size: int
    recogniser_id: str
    photos: Sequence[bytes]


def names() -> list[str]:
    return sorted(path.stem for path in SCENARIOS.glob("*.json"))


def load(name: str) -> dict[str, Any]:
    return json.loads((SCENARIOS / f"{name}.json").read_text())


def is_raw(scenario: Mapping[str, Any]) -> bool:
    """Whether it calls Triton, not the gateway."""
    return scenario["call"].startswith("inference.")


def variants(scenario: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """What varies, and the configuration with it, in the order of the file: the last option changes fastest."""
    vary = scenario.get("vary", {})
    fixed = {key: value for key, value in scenario.items() if key != "vary"}
    for values in itertools.product(*vary.values()):
        chosen = dict(zip(vary, values, strict=True))
        yield chosen, {**fixed, **chosen}


def complete(data: Sequence[Any], served: Served, seed: int = 0) -> list[Any]:
    """The records with everything in them that a call needs."""
    random = np.random.default_rng(seed)
    records = []
    for record in data:
        copies = len(served.photos) if _mentions(record, "{photo}") else 1
        for copy in range(copies):
            photo = served.photos[copy] if served.photos else b""
            records.append(_filled(record, served, photo, random))
    return records


def random_embedding(size: int, random: np.random.Generator) -> list[float]:
    """Of unit length."""
    direction = random.standard_normal(size)
    return (direction / np.linalg.norm(direction)).round(6).tolist()


def read_photos(folder: Path) -> list[bytes]:
    photos = [path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix.lower() in SUFFIXES]
    if not photos:
        raise SystemExit(f"no photo in {folder}")
    return photos


def _filled(value: Any, served: Served, photo: bytes, random: np.random.Generator) -> Any:
    if value == "{photo}":
        return base64.b64encode(photo).decode()
    if value == "{embedding}":
        values = random_embedding(served.embedding_size, random)
        return {"values": values, "recogniser_id": served.recogniser_id}
    if isinstance(value, dict):
        return {key: _filled(inner, served, photo, random) for key, inner in value.items()}
    return value


def _mentions(value: Any, word: str) -> bool:
    return value == word or (
        isinstance(value, dict) and any(_mentions(inner, word) for inner in value.values())
    )
