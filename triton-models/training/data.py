"""The training set: all portraits of the runs but near-duplicates, and those like a reserved face, with a data card.

A portrait is dropped where an earlier one, or a reserved one, has nearly its embedding. What is left becomes
portraits.npy [N,128,128,3] and data.npz: `names` [N], `landmarks` [N,5,2], unit `embeddings` [N,256], `measures`
[N,10] and `strict` [N], the rows of the stricter subset.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from tqdm import tqdm

from training import RUNS, reserved
from training.alignment import PORTRAIT_SIZE
from training.card import Card, write_card
from training.files import is_newer, save_arrays
from training.quality import STRICT, Measures

ALIKE = 0.8  # cosine; faces 0.1 apart in the generator's latents have 0.83, unrelated ones 0.2
DUPLICATE, RESERVED = "near-duplicate", "like a reserved face"
BLOCK = 1024


def near_duplicates(embeddings: np.ndarray, limit: float) -> np.ndarray:
    """Which of the unit embeddings [N,D] are within the limit of one before them that is none itself: [N] bool."""
    duplicate = np.zeros(len(embeddings), bool)
    for start in range(0, len(embeddings), BLOCK):
        block = embeddings[start : start + BLOCK]
        known = embeddings[:start][~duplicate[:start]]
        alike = alike_to(block, known, limit)
        among = block @ block.T > limit
        for i in range(len(block)):
            alike[i] |= bool((among[i, :i] & ~alike[:i]).any())
        duplicate[start : start + BLOCK] = alike
    return duplicate


def alike_to(embeddings: np.ndarray, others: np.ndarray, limit: float) -> np.ndarray:
    """Which unit embeddings [N,D] are within the limit of one of the others [M,D]: [N] bool."""
    if not len(others):
        return np.zeros(len(embeddings), bool)
    parts = [
        (part @ others.T).max(1) > limit for part in np.array_split(embeddings, len(embeddings) // BLOCK + 1)
    ]
    return np.concatenate(parts)


def assemble(runs: Path) -> Card:
    """Writes portraits.npy, data.npz and the card; the reserved portraits to files of their own."""
    lists = reserved.seeds()
    kept_out = []
    for name in lists:
        with np.load(runs / "portraits" / f"{name}.npz") as shard:
            kept_out.append(shard["embeddings"])
            np.save(runs / f"{name}_portraits.npy", shard["portraits"])
    shards = [path for path in sorted((runs / "portraits").glob("*.npz")) if path.stem not in lists]
    columns: dict[str, list[np.ndarray]] = {"names": [], "landmarks": [], "embeddings": [], "measures": []}
    drawn: list[np.ndarray] = []
    for path in tqdm(shards, desc="read", unit="shard"):
        with np.load(path) as shard:
            drawn.append(shard["reasons"])
            columns["names"].append(shard["names"][shard["reasons"] == ""])
            for name in ("landmarks", "embeddings", "measures"):
                columns[name].append(shard[name])
    data = {name: np.concatenate(parts) for name, parts in columns.items()}
    reasons = np.concatenate(drawn)

    passed = np.full(len(data["names"]), "", "U32")
    passed[near_duplicates(data["embeddings"], ALIKE)] = DUPLICATE
    passed[alike_to(data["embeddings"], np.concatenate(kept_out), ALIKE)] = RESERVED
    reasons[reasons == ""] = passed
    kept = passed == ""
    data = {name: values[kept] for name, values in data.items()}
    strict = np.array([STRICT.reason(Measures(*row)) for row in data["measures"].tolist()])
    save_arrays(runs / "data.npz", **data, strict=strict == "")

    parts = np.split(kept, np.cumsum([len(part) for part in columns["names"]])[:-1])
    _save_portraits(runs / "portraits.npy", int(kept.sum()), zip(shards, parts, strict=True))
    card = Card.of(reasons, strict, data["measures"])
    write_card(card, runs)
    return card


def _save_portraits(path: Path, count: int, parts: Iterable[tuple[Path, np.ndarray]]) -> None:
    """Writes the chosen rows of each shard, `count` in all, which need not fit into memory together."""
    partial = path.with_suffix(".partial")
    shape = (count, PORTRAIT_SIZE, PORTRAIT_SIZE, 3)
    portraits = np.lib.format.open_memmap(partial, "w+", np.uint8, shape)
    end = 0
    for shard, rows in tqdm(parts, desc="write", unit="shard"):
        with np.load(shard) as arrays:
            chosen = arrays["portraits"][rows]
        portraits[end : end + len(chosen)] = chosen
        end += len(chosen)
    portraits.flush()
    partial.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=RUNS)
    runs = parser.parse_args().runs
    if is_newer(runs / "card.md", (runs / "portraits").glob("*.npz")):
        print("data: nothing new")
        return
    card = assemble(runs)
    print(f"{card.kept} portraits of {card.drawn}, {card.strict} of them in the strict subset")


if __name__ == "__main__":
    main()
