"""Lengthens the lists of reserved identities by the next seeds whose faces pass the filter; what is in them stays."""

import argparse

from training import reserved
from training.faces import draw
from training.files import save_text
from training.quality import LARGE

FIRST = {"held_out": 0, "validation": 5_000}  # seeds from which each list starts
BATCH = 64


def lengthen(known: list[int], first: int, count: int) -> list[int]:
    """`known` with as many passing seeds after it, or from `first` on, as make it `count`."""
    known, start = list(known), known[-1] + 1 if known else first
    while len(known) < count:
        part = draw(range(start, start + BATCH), LARGE)
        known += [int(name.removeprefix("seed-")) for name in part["names"][part["reasons"] == ""]]
        start += BATCH
    return known[:count]


def to_json(lists: dict[str, list[int]]) -> str:
    """The lists, sixteen seeds a line."""
    texts = []
    for name, seeds in lists.items():
        lines = [", ".join(map(str, seeds[i : i + 16])) for i in range(0, len(seeds), 16)]
        texts.append(f'  "{name}": [\n    ' + ",\n    ".join(lines) + "\n  ]")
    return "{\n" + ",\n".join(texts) + "\n}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--held-out", type=int, default=200)
    parser.add_argument("--validation", type=int, default=64)
    counts = vars(parser.parse_args())
    known = reserved.seeds()
    lists = {name: lengthen(known[name], first, counts[name]) for name, first in FIRST.items()}
    save_text(reserved.FILE, to_json(lists))


if __name__ == "__main__":
    main()
