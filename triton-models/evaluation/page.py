"""The report as one HTML page that holds everything: tables, plots, and the best, median and worst pictures."""

import base64
import io
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from PIL import Image, ImageOps

from evaluation import svg
from evaluation.gallery import Picture
from evaluation.observation import decode
from evaluation.people import Person
from evaluation.tables import COSINES, DISTANCES

SHOWN = 8  # pictures in each of the three rows
TILE = 128
STYLE = """
body { font: 15px/1.45 sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #111 }
table { border-collapse: collapse; margin: 1rem 0 } td, th { padding: .2rem .8rem; border-bottom: 1px solid #ddd }
td { text-align: right } th { text-align: left; font-weight: 600 } figure { display: inline-block; margin: .5rem }
figcaption { text-align: center; font-size: 13px } .pair { margin: .2rem } .pair img { width: 96px; height: 96px }
"""
# What is said of each method: a caption and where it lies in the method's table.
ROWS = (
    ("pictures", "pictures"),
    ("face found", "faces_found"),
    ("cosine to the person asked for", "similarity.own.mean"),
    ("cosine to the others (control)", "similarity.control.mean"),
    ("area under the curve, conditioning recogniser", "similarity.area_under_curve"),
    ("accepted by it", "similarity.own_accepted"),
    ("others accepted", "similarity.control_accepted"),
    ("nearest is the person asked for", "similarity.nearest_is_own"),
    ("dlib's distance to the person asked for", "independent.own.mean"),
    ("dlib's distance to the others (control)", "independent.control.mean"),
    ("area under the curve, independent recogniser", "independent.area_under_curve"),
    ("accepted by it", "independent.own_accepted"),
    ("others accepted", "independent.control_accepted"),
    ("within a person: distance of features", "diversity.within.features"),
    ("within a person: deviation of yaw, degrees", "diversity.within.yaw"),
    ("within a person: deviation of pitch, degrees", "diversity.within.pitch"),
    ("within a person: expression", "diversity.within.expression"),
    ("within a person: pixels", "diversity.within.pixels"),
    ("across people: distance of features", "diversity.across.features"),
    ("across people: pixels", "diversity.across.pixels"),
    ("Fréchet distance, dlib's features", "quality.frechet_distance"),
    ("gradient energy, share of the originals'", "quality.sharpness_share"),
)
CURVE = (
    ("cosine to the person asked for", "similarity.own.mean"),
    ("area under the curve, independent", "independent.area_under_curve"),
    ("face found", "faces_found"),
    ("sharpness, share of the originals'", "quality.sharpness_share"),
)


def page(report: dict[str, Any], people: Sequence[Person], pictures: Sequence[Picture]) -> str:
    return "".join(_page(report, people, pictures))


def _page(report: dict[str, Any], people: Sequence[Person], pictures: Sequence[Picture]) -> Iterator[str]:
    title = f"{report['profile']}: {len(people)} {report['of']}, {report['images_per']} pictures each"
    yield f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
    yield f"<style>{STYLE}</style><h1>{escape(title)}</h1>"
    yield "<p>What the figures mean: docs/evaluation.md of the project. Nothing on this page is a real test of another "
    yield "system unless its pictures were made for the same people.</p>"
    yield _table(["", *report["methods"]], _comparison(report))
    yield "<h2>Identity</h2>"
    yield from _identity(report)
    yield "<h2>Real pictures of a person</h2>"
    yield _table(["", "pairs", "mean cosine", "median", "mean distance, dlib", "median"], _real(report))
    if report["curve"]:
        yield "<h2>Steps against quality</h2>"
        for name, place in CURVE:
            yield _figure(name, svg.lines(_curve(report["curve"], place), 0, 1.2))
    yield "<h2>Best, median and worst</h2><p>Source and picture, by the similarity that the gateway reports.</p>"
    yield from _examples(people, pictures)
    yield "<h2>Models</h2>"
    yield _table(["model", "SHA-256"], [[name, sha] for name, sha in sorted(report["models"].items())])
    yield "</html>\n"


def find(table: dict[str, Any], place: str) -> Any:
    """What lies at a dotted place; None where there is nothing on the way."""
    value: Any = table
    for key in place.split("."):
        value = None if value is None else value[key]
    return value


def _comparison(report: dict[str, Any]) -> list[list[Any]]:
    return [[name, *(find(table, place) for table in report["methods"].values())] for name, place in ROWS]


def _identity(report: dict[str, Any]) -> Iterator[str]:
    for name, table in report["methods"].items():
        for key, span, caption in (
            ("similarity", COSINES, "cosine, conditioning recogniser"),
            ("independent", DISTANCES, "distance, dlib"),
        ):
            series = [
                ("the person asked for", table[key]["own_histogram"]),
                ("the others", table[key]["control_histogram"]),
            ]
            series += [
                (f"real, {kind}", pairs[f"{key}_histogram"]) for kind, pairs in _pairs(report) if pairs[key]
            ]
            plot = svg.histograms(series, *span, mark=table[key]["threshold"])
            yield _figure(f"{name}: {caption}", plot)


def _pairs(report: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The parts of `real` that are pairs of pictures of one person."""
    for kind, pairs in report["real"].items():
        if isinstance(pairs, dict) and "similarity" in pairs:
            yield kind, pairs


def _real(report: dict[str, Any]) -> list[list[Any]]:
    places = (
        "similarity.count",
        "similarity.mean",
        "similarity.median",
        "independent.mean",
        "independent.median",
    )
    return [[kind, *(find(pairs, place) for place in places)] for kind, pairs in _pairs(report)]


def _curve(rows: Sequence[dict[str, Any]], place: str) -> list[tuple[str, list[tuple[float, float | None]]]]:
    variants = dict.fromkeys(row["variant"] for row in rows)
    return [
        (variant, [(row["steps"], find(row, place)) for row in rows if row["variant"] == variant])
        for variant in variants
    ]


def _examples(people: Sequence[Person], pictures: Sequence[Picture]) -> Iterator[str]:
    ordered = sorted((p for p in pictures if p.reported is not None), key=lambda p: -p.reported)
    middle = max(0, (len(ordered) - SHOWN) // 2)
    for name, some in (
        ("Best", ordered[:SHOWN]),
        ("Median", ordered[middle : middle + SHOWN]),
        ("Worst", ordered[-SHOWN:]),
    ):
        yield f"<h3>{name}</h3>"
        for picture in some:
            person = people[picture.person]
            shown = [*person.pictures[:1], picture.data]
            images = "".join(f'<img alt="" src="{_tile(data)}">' for data in shown)
            caption = f"{person.name}, seed {picture.seed}: {picture.reported:.3f}"
            yield f'<figure class="pair">{images}<figcaption>{escape(caption)}</figcaption></figure>'


def _tile(data: bytes) -> str:
    file = io.BytesIO()
    ImageOps.fit(Image.fromarray(decode(data)), (TILE, TILE)).save(file, "JPEG", quality=90)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    cells = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines = "".join(
        f"<tr><th>{escape(str(row[0]))}</th>"
        + "".join(f"<td>{_text(value)}</td>" for value in row[1:])
        + "</tr>"
        for row in rows
    )
    return f"<table><tr>{cells}</tr>{lines}</table>"


def _figure(caption: str, content: str) -> str:
    return f"<figure>{content}<figcaption>{escape(caption)}</figcaption></figure>"


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else escape(str(value))
