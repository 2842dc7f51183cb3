"""Measures through a running gateway how well portraits keep the identity they were asked for.

Prints a table and writes the same as JSON. With --assert the exit code is 1 where a figure is below what the project
promises.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from evaluation.api import Gateway, message
from evaluation.identity import Options, held_out_people, judge, people_of_photos, portray

# What is promised of the mini profile: at least, or at most.
LEAST_SIMILARITY, LEAST_SIMILARITY_OF_PHOTOS = 0.50, 0.25
LEAST_MARGIN = 0.3
LEAST_FACES_FOUND = 0.95
MOST_APART, MOST_APART_IN_JPEG = 0.02, 0.05


def main() -> int:
    arguments = parse()
    options = Options(
        images=arguments.images_per,
        seed=arguments.seed,
        steps=arguments.steps,
        guidance=arguments.guidance,
        scheduler=arguments.scheduler,
        jpeg=arguments.format == "jpeg",
    )
    with Gateway(arguments.target) as gateway:
        info = gateway.unary("GetModelInfo", message("GetModelInfoRequest"))
        if arguments.photos is None:
            people = held_out_people(arguments.identities)
        else:
            people = people_of_photos(gateway, arguments.photos)
        start = time.monotonic()
        pictures = portray(gateway, people, options)
        seconds = time.monotonic() - start
    report = {
        "profile": info.profile,
        "recogniser": info.recogniser_id,
        "of": "held-out people" if arguments.photos is None else "photos",
        "options": vars(options),
        "seconds": seconds,
        **judge(people, pictures),
    }
    show(report)
    if arguments.json is not None:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(report, indent=1) + "\n")
    broken = broken_promises(report) if arguments.assert_promises else []
    for promise in broken:
        print(f"FAILED: {promise}", file=sys.stderr)
    return 1 if broken else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m evaluation", description=__doc__)
    parser.add_argument("--target", default="127.0.0.1:9090", help="the gateway, host:port")
    people = parser.add_mutually_exclusive_group()
    people.add_argument("--identities", type=int, default=64, help="how many held-out people, at most 64")
    people.add_argument("--photos", type=Path, help="a folder of photos instead")
    parser.add_argument("--images-per", type=int, default=1, help="pictures of each person")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, help="default: the server's")
    parser.add_argument("--guidance", type=float, help="default: the server's")
    parser.add_argument("--scheduler", default="", help="default: the server's")
    parser.add_argument("--format", choices=("png", "jpeg"), default="png")
    parser.add_argument("--json", type=Path, help="where to write the report")
    parser.add_argument(
        "--assert", dest="assert_promises", action="store_true", help="fail below the promises"
    )
    return parser.parse_args()


def show(report: dict[str, Any]) -> None:
    columns = ("reported", "original", "detected_anew", "control")
    print(f"{'':24}{'seed':>6}" + "".join(f"{column:>15}" for column in columns))
    for row in report["pictures"]:
        print(
            f"{row['person']:24.24}{row['seed']:>6}" + "".join(f"{number(row[key]):>15}" for key in columns)
        )
    print()
    for name, value in report["figures"].items():
        print(f"{name:26}{value if isinstance(value, int) else number(value):>6}")
    print(f"{'seconds':26}{report['seconds']:>6.1f}")


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def broken_promises(report: dict[str, Any]) -> list[str]:
    """One line for each figure that is not as promised."""
    photos, jpeg = report["of"] == "photos", report["options"]["jpeg"]
    least = {"similarity": LEAST_SIMILARITY_OF_PHOTOS if photos else LEAST_SIMILARITY}
    if not photos:
        least |= {"margin": LEAST_MARGIN, "faces_found": LEAST_FACES_FOUND}
    apart = MOST_APART_IN_JPEG if jpeg else MOST_APART
    # MTCNN is not steady: after JPEG it may see a soft face's landmarks several pixels elsewhere. The mean is promised.
    most = {"original_apart_most": apart, f"detected_anew_apart_{'mean' if jpeg else 'most'}": apart}
    figures = report["figures"]
    return [
        f"{name} is {number(figures[name])}, promised are at {word} {promised}"
        for word, promises, sign in (("least", least, 1), ("most", most, -1))
        for name, promised in promises.items()
        if figures[name] is None or sign * figures[name] < sign * promised
    ]


if __name__ == "__main__":
    sys.exit(main())
