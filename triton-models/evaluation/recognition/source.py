"""Source faces as a data set: several pictures of each of some of the generator's people, aligned, 112x112.

The generator gives one picture per latent. A second picture of a person is a near neighbour's in latent space, and
counts where the independent recogniser, which neither labels nor conditions, takes both for one person. Resumable by
identity. Runs in the environment for training.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np

from evaluation import faces, held_out, independent
from evaluation.progress import Bar
from evaluation.recognition import folder
from evaluation.synthetic import draw, near
from training.faces import noise

FIRST_SEED = 100_000_000  # above those that train the model, and not held out
MARGIN = 1.2  # how many neighbours are drawn at a time for each that is wanted: not all are accepted
ROUNDS = 5


def crops_of(seed: int, count: int, distance: float, most_apart: float) -> tuple[np.ndarray | None, int, int]:
    """A person's `count` crops [count,112,112,3], or none where so many are not accepted; drawn, and accepted."""
    place = noise([seed])[0]
    own = _faces(draw(place[None]).portraits)
    if not own:
        return None, 0, 0
    crops = [own[0][0]]
    drawn = accepted = 0
    for number in range(ROUNDS):
        places = near(place, math.ceil(MARGIN * count), distance, ROUNDS * seed + number)
        for crop, descriptor in _faces(draw(places).portraits):
            drawn += 1
            if np.linalg.norm(descriptor - own[0][1]) <= most_apart:
                accepted += 1
                crops.append(crop)
        if len(crops) >= count:
            return np.stack(crops[:count]), drawn, accepted
    return None, drawn, accepted


def _faces(portraits: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Aligned crop and descriptor of each portrait in which a face is found."""
    found = []
    for portrait in portraits:
        face = faces.find(portrait)
        if face is not None:
            _, descriptors = independent.describe(independent.chip(portrait, face)[None])
            found.append((faces.align(portrait, face), descriptors[0]))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m evaluation.recognition.source", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--identities", type=int, default=200)
    parser.add_argument("--per-identity", type=int, default=20)
    parser.add_argument("--held-out", action="store_true", help="the held-out people, for pairs to verify on")
    parser.add_argument("--distance", type=float, default=held_out.DISTANCE, help="of a neighbour's noise")
    parser.add_argument(
        "--most-apart",
        type=float,
        default=independent.SAME_SYNTHETIC_PERSON,
        help="by the independent recogniser",
    )
    arguments = parser.parse_args()
    if arguments.held_out:
        seeds = held_out.seeds()[: arguments.identities]
    else:  # more than are needed: some have no face, or too few neighbours
        seeds = list(range(FIRST_SEED, FIRST_SEED + 4 * arguments.identities))
    aligned = arguments.out / "aligned"
    aligned.mkdir(parents=True, exist_ok=True)
    log = arguments.out / "acceptance.jsonl"
    known = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    done = {row["seed"] for row in known}
    have = sum(row["kept"] for row in known)
    with Bar("identities", arguments.identities, have) as bar, log.open("a") as file:
        for seed in seeds:
            if have >= arguments.identities:
                break
            if seed in done:
                continue
            crops, drawn, accepted = crops_of(
                seed, arguments.per_identity, arguments.distance, arguments.most_apart
            )
            if crops is not None:
                folder.write(aligned, f"{seed:010d}", crops)
                have += 1
                bar.advance()
            known.append({"seed": seed, "kept": crops is not None, "drawn": drawn, "accepted": accepted})
            file.write(json.dumps(known[-1]) + "\n")
            file.flush()
    drawn, accepted = (sum(row[key] for row in known) for key in ("drawn", "accepted"))
    print(
        f"{have} identities; {accepted} of {drawn} neighbours at distance {arguments.distance} accepted "
        f"({100 * accepted / max(1, drawn):.1f} %)"
    )


if __name__ == "__main__":
    main()
