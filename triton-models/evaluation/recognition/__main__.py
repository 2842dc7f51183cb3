"""Trains a small recogniser on each data set and verifies all on the same pairs.

A data set is a folder of folders of aligned 112x112 crops, as `arc2face dataset` and `evaluation.recognition.source`
write them. Pairs come from a further such folder, of people in none of the data sets, or from insightface's .bin files.
Runs in the environment for training.
"""

import argparse
import json
from pathlib import Path

from evaluation.recognition import folder
from evaluation.recognition.training import train
from evaluation.recognition.verification import Pairs, accuracy, pairs_of_folder, read_bin


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m evaluation.recognition", description=__doc__)
    parser.add_argument("dataset", nargs="+", metavar="NAME=DIR", help="what to train on")
    parser.add_argument("--held-out", type=Path, help="a folder of further people, to verify on")
    parser.add_argument("--pairs", type=int, default=1500, help="how many of one person, and of two")
    parser.add_argument("--bin", type=Path, nargs="*", default=[], help="verification sets of insightface")
    parser.add_argument("--identities", type=int, default=200, help="how many of each data set")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="trainings of each data set")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    sets: dict[str, Pairs] = {path.stem: read_bin(path) for path in arguments.bin}
    if arguments.held_out is not None:
        sets["held-out"] = pairs_of_folder(folder.read(arguments.held_out), arguments.pairs)
    if not sets:
        parser.error("nothing to verify on: --held-out or --bin")
    rows = []
    for dataset in arguments.dataset:
        name, _, place = dataset.partition("=")
        people = folder.read(Path(place), arguments.identities)
        for seed in arguments.seeds:
            embed = train(people, arguments.steps, seed)
            scores = {of: accuracy(embed, pairs) for of, pairs in sets.items()}
            rows.append(
                {
                    "dataset": name,
                    "identities": len(people),
                    "pictures": sum(map(len, people)),
                    "seed": seed,
                    "accuracy": {of: round(mean, 4) for of, (mean, _) in scores.items()},
                    "deviation": {of: round(deviation, 4) for of, (_, deviation) in scores.items()},
                }
            )
            text = ", ".join(
                f"{of} {100 * mean:.2f} % +- {100 * spread:.2f}" for of, (mean, spread) in scores.items()
            )
            print(f"{name}, {len(people)} identities, seed {seed}: {text}")
    if arguments.json is not None:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
