"""The identities that no training sees: generator seeds written down before it began, in held_out.json.

`held_out` says how good the models are, `validation` chooses settings. Every seed below `FIRST_TRAINING_SEED` stays
out of training, also those that are not in the file.
"""

import json
from pathlib import Path

FILE = Path(__file__).with_name("held_out.json")
FIRST_TRAINING_SEED = 10_000


def seeds() -> dict[str, list[int]]:
    """The seeds of `held_out` and of `validation`."""
    return json.loads(FILE.read_text())
