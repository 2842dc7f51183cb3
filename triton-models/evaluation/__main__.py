"""Measures through a running gateway how much of an identity survives, and how good the pictures are.

Portraits are asked for and kept in a work folder; a second run asks only for what is missing. Writes a report as JSON
and as an HTML page. With --assert the exit code is 1 where a figure is below what the project promises.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from evaluation.api import Gateway, message
from evaluation.gallery import Options
from evaluation.measure import OWN, Plan, measure
from evaluation.page import ROWS, find, page
from evaluation.people import Group, held_out_people, people_of_embeddings, people_of_photos

# What is promised of the mini profile: at least, or at most.
LEAST_SIMILARITY, LEAST_SIMILARITY_OF_PHOTOS = 0.70, 0.45
LEAST_MARGIN = 0.5
LEAST_FACES_FOUND = 0.95
LEAST_AREA_UNDER_CURVE = 0.95  # by the independent recogniser
MOST_APART, MOST_APART_IN_JPEG = 0.02, 0.05

DIGITS = 6  # of a figure in the report
JSON, PAGE = "report.json", "report.html"


def main() -> int:
    arguments = parse()
    start = time.monotonic()
    with Gateway(arguments.target) as gateway:
        info = gateway.unary("GetModelInfo", message("GetModelInfoRequest"))
        group = who(arguments, gateway, info)
        if not group.people:
            raise SystemExit(f"nobody to portray: {', '.join(group.left_out) or 'the folder is empty'}")
        report, pictures = measure(gateway, info, group, plan(arguments))
    report = rounded(report)
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / JSON).write_text(json.dumps(report, indent=1, sort_keys=True) + "\n")
    (arguments.out / PAGE).write_text(page(report, group.people, pictures), encoding="utf-8")
    show(report)
    print(f"\n{arguments.out / JSON} and {PAGE}, after {time.monotonic() - start:.0f} s")
    broken = broken_promises(report) if arguments.assert_promises else []
    for promise in broken:
        print(f"FAILED: {promise}", file=sys.stderr)
    return 1 if broken else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m evaluation", description=__doc__)
    parser.add_argument("--target", default="127.0.0.1:9090", help="the gateway, host:port")
    people = parser.add_mutually_exclusive_group()
    people.add_argument("--identities", type=int, default=64, help="how many held-out people, at most 200")
    people.add_argument(
        "--photos", type=Path, help="a folder of photos instead, or of folders of one person each"
    )
    people.add_argument("--embeddings", type=Path, help="a file of embeddings instead, .npy [N,D]")
    parser.add_argument("--images-per", type=int, default=1, help="pictures of each person")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, help="default: the server's")
    parser.add_argument("--guidance", type=float, help="default: the server's")
    parser.add_argument("--scheduler", default="", help="default: the server's")
    parser.add_argument("--variant", default="", help="default: the server's")
    parser.add_argument("--format", choices=("png", "jpeg"), default="png")
    parser.add_argument(
        "--steps-curve",
        type=int,
        nargs="*",
        default=[],
        help="numbers of steps to compare, for every variant",
    )
    parser.add_argument(
        "--curve-people", type=int, default=32, help="how many people the comparison portrays"
    )
    parser.add_argument(
        "--method",
        type=method,
        action="append",
        default=[],
        metavar="NAME=DIR",
        help="another system's pictures, DIR/<person>/<picture>, for the same tables; may be repeated",
    )
    parser.add_argument(
        "--work", type=Path, default=Path("out/evaluation/work"), help="where portraits are kept"
    )
    parser.add_argument("--out", type=Path, default=Path("out/evaluation"), help="where the report goes")
    parser.add_argument(
        "--assert", dest="assert_promises", action="store_true", help="fail below the promises"
    )
    return parser.parse_args()


def method(argument: str) -> tuple[str, Path]:
    name, _, folder = argument.partition("=")
    if not name or name == OWN or not Path(folder).is_dir():
        raise argparse.ArgumentTypeError(
            f"{argument}: NAME=DIR, not the name {OWN}, and DIR has to be a folder"
        )
    return name, Path(folder)


def who(arguments: argparse.Namespace, gateway: Gateway, info: Any) -> Group:
    if arguments.photos is not None:
        return people_of_photos(gateway, arguments.photos)
    if arguments.embeddings is not None:
        return people_of_embeddings(arguments.embeddings, info.recogniser_id)
    return held_out_people(arguments.identities)


def plan(arguments: argparse.Namespace) -> Plan:
    options = Options(
        arguments.steps,
        arguments.guidance,
        arguments.scheduler,
        arguments.variant,
        arguments.format == "jpeg",
    )
    return Plan(
        options,
        arguments.images_per,
        arguments.seed,
        arguments.work,
        arguments.steps_curve,
        arguments.curve_people,
        arguments.method,
    )


def rounded(value: Any) -> Any:
    """The report with its figures as they are written: neither numpy's types, nor digits that mean nothing."""
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(part) for part in value]
    return round(float(value), DIGITS) if isinstance(value, float) else value


def show(report: dict[str, Any]) -> None:
    names = list(report["methods"])
    print(f"{'':50}" + "".join(f"{name:>14.14}" for name in names))
    for caption, place in ROWS:
        print(
            f"{caption:50}" + "".join(f"{number(find(report['methods'][name], place)):>14}" for name in names)
        )
    for name, value in report.get("figures", {}).items():
        print(f"{name:50}{number(value):>14}")
    for line in report["left_out"]:
        print(f"left out: {line}")


def number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def broken_promises(report: dict[str, Any]) -> list[str]:
    """One line for each figure that is not as promised; the promises are of the mini profile."""
    if "figures" not in report:
        return [f"nothing is promised of the recogniser {report['recogniser']}"]
    photos, jpeg = report["of"] == "photos", report["options"]["jpeg"]
    least = {"similarity": LEAST_SIMILARITY_OF_PHOTOS if photos else LEAST_SIMILARITY}
    if not photos:
        least |= {"margin": LEAST_MARGIN, "faces_found": LEAST_FACES_FOUND}
        least["area_under_curve"] = LEAST_AREA_UNDER_CURVE
    apart = MOST_APART_IN_JPEG if jpeg else MOST_APART
    # MTCNN is not steady: after JPEG it may see a soft face's landmarks several pixels elsewhere. The mean is promised.
    most = {"original_apart_most": apart, f"detected_anew_apart_{'mean' if jpeg else 'most'}": apart}
    independent = find(report, f"methods.{OWN}.independent.area_under_curve")
    figures = report["figures"] | {"area_under_curve": independent}
    return [
        f"{name} is {number(figures[name])}, promised are at {word} {promised}"
        for word, promises, sign in (("least", least, 1), ("most", most, -1))
        for name, promised in promises.items()
        if figures[name] is None or sign * figures[name] < sign * promised
    ]


if __name__ == "__main__":
    sys.exit(main())
