"""The data card: what a training set is made of, and what was rejected for which reason."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from export import originals
from training.files import save_text
from training.quality import LARGE, STRICT, Measures

PERCENTILES = (5, 50, 95)
ORIGINS = {
    "generator": originals.GAN_FACE_GENERATE,
    "detector": originals.FACENET_PYTORCH,
    "restoration": originals.ESRGAN_MEDIUM,
    "recogniser": originals.HUMAN_MODELS,
}
TERMS = (
    "The generator was trained on DigiFace-1M, which Microsoft released for non-commercial research. Its faces are of "
    "people who do not exist. Pictures of one's own are what their owner allows."
)


@dataclass(frozen=True)
class Card:
    """Counts: `drawn` = `kept` + all `rejects`, and `kept` = `strict` + all `strict_rejects`."""

    drawn: int
    kept: int
    rejects: dict[str, int]
    strict: int
    strict_rejects: dict[str, int]
    measures: dict[str, list[float]]  # of what is kept, at PERCENTILES

    @classmethod
    def of(cls, reasons: Sequence[str], strict_reasons: Sequence[str], measures: np.ndarray) -> "Card":
        """From the reason of every drawn picture, that of every kept one, and the kept ones' measures [N,10]."""
        kept, rejects = _count(reasons)
        strict, strict_rejects = _count(strict_reasons)
        columns = np.percentile(measures, PERCENTILES, axis=0).T.round(3).tolist()
        named = dict(zip(Measures._fields, columns, strict=True))
        return cls(len(reasons), kept, rejects, strict, strict_rejects, named)


def _count(reasons: Sequence[str]) -> tuple[int, dict[str, int]]:
    """How many have no reason, and how many each of the others, the commonest first."""
    counts = Counter(map(str, reasons))
    kept = counts.pop("", 0)
    return kept, dict(counts.most_common())


def write_card(card: Card, runs: Path) -> None:
    """Writes card.json and card.md."""
    origins = {name: {"package": p.specifier, "sha256": p.sha256} for name, p in ORIGINS.items()}
    rules = {"large": asdict(LARGE), "strict": asdict(STRICT)}
    content = {**asdict(card), "rules": rules, "origins": origins, "terms": TERMS}
    save_text(runs / "card.json", json.dumps(content, indent=1) + "\n")
    save_text(runs / "card.md", markdown(card))


def markdown(card: Card) -> str:
    """The card for people."""
    head = [
        "# Data card",
        "",
        f"{card.kept} portraits of 128x128 pixels, of {card.drawn} pictures that were drawn; {card.strict} of them "
        "are in the strict subset.",
        "",
        TERMS,
    ]
    rejects = [
        _table("reason", "not in the set", card.rejects),
        _table("reason", "not in the strict subset", card.strict_rejects),
    ]
    large, strict = asdict(LARGE), asdict(STRICT)
    limits = ["| limit | set | strict subset |", "|---|---|---|"]
    limits += [f"| {name} | {large[name]:g} | {strict[name]:g} |" for name in large]
    measures = [f"| measure | {' | '.join(f'{p} %' for p in PERCENTILES)} |", "|---|---|---|---|"]
    measures += [
        f"| {name} | {' | '.join(f'{v:g}' for v in values)} |" for name, values in card.measures.items()
    ]
    origins = ["| part | package |", "|---|---|"]
    origins += [f"| {name} | {package.specifier} |" for name, package in ORIGINS.items()]
    blocks = [head, *rejects, limits, measures, origins]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _table(what: str, where: str, counts: dict[str, int]) -> list[str]:
    return [
        f"| {what} | {where} |",
        "|---|---|",
        *(f"| {name} | {count} |" for name, count in counts.items()),
    ]
