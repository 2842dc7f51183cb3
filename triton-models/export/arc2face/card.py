"""What was exported, from what and how well: export.json for the next run, MODEL_CARD.md for people."""

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tqdm import tqdm

from export.arc2face.layout import Layout
from export.arc2face.precision import KEPT
from export.arc2face.traced import MAX_ERROR, MAX_LEVELS, MIN_PSNR
from export.config import model_sha256
from export.hashing import sha256

PACKAGES = ("torch", "diffusers", "transformers", "peft", "onnx", "onnxruntime")
CODE = Path(__file__).parents[1]
SHARED_CODE = (
    "boxes.py",
    "config.py",
    "graph.py",
    "trace.py",
    *(f"arc2face/{n}.py" for n in ("precision", "published", "traced")),
)


@dataclass(frozen=True)
class Entry:
    """One exported model."""

    made_from: str  # hash over all that it depends on
    model_sha256: str
    checks: list[str]
    seconds: float
    peak_gigabytes: float  # of this process, up to the end of this model


class Record:
    """The entries of a model repository, kept in its export.json."""

    def __init__(self, out: Path) -> None:
        self.out, self.path = out, out / "export.json"
        stored = json.loads(self.path.read_text()) if self.path.is_file() else {}
        self.entries = {name: Entry(**entry) for name, entry in stored.items()}

    def is_finished(self, model: str, made_from: str) -> bool:
        entry, folder = self.entries.get(model), self.out / model
        return (
            entry is not None
            and entry.made_from == made_from
            and (folder / "config.pbtxt").is_file()
            and (folder / "1" / "model.onnx").is_file()
            and model_sha256(folder / "1" / "model.onnx") == entry.model_sha256
        )

    def add(self, model: str, entry: Entry) -> None:
        self.entries[model] = entry
        partial = self.path.with_suffix(".partial")
        stored = {name: asdict(entry) for name, entry in sorted(self.entries.items())}
        partial.write_text(json.dumps(stored, indent=2) + "\n")
        partial.replace(self.path)


def source_hashes(layout: Layout) -> dict[str, str]:
    """File name -> SHA-256, of all that an export reads."""
    files = layout.files()
    with tqdm(
        total=sum(path.stat().st_size for path in files),
        unit="B",
        unit_scale=True,
        desc="reading the weights",
        leave=False,
    ) as bar:
        return {str(path.relative_to(layout.root)): sha256(path, read=bar.update) for path in files}


def made_from(model: str, sources: Mapping[str, str], precision: str) -> str:
    """A hash that changes when the sources, the precision, the packages or what makes this model's graph do."""
    code = {
        name: (CODE / name).read_text()
        for name in (*SHARED_CODE, f"arc2face/{model.removesuffix('_lcm')}.py")
    }
    everything = {"sources": dict(sources), "precision": precision, "versions": versions(), "code": code}
    return hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()


def versions() -> dict[str, str]:
    return {package: importlib.metadata.version(package) for package in PACKAGES}


def write_card(
    record: Record, sources: Mapping[str, str], precision: str, licences: Mapping[str, str]
) -> Path:
    """Writes MODEL_CARD.md from the record."""
    models = {name: record.entries[name] for name in licences}
    lines = [
        "# Model card",
        "",
        "Written by `python -m export.arc2face`. The model is Arc2Face (Papantoniou et al., ECCV 2024) on Stable "
        "Diffusion v1-5, with insightface's SCRFD and ArcFace.",
        "",
        f"Precision: {precision}. Exported with {', '.join(f'{k} {v}' for k, v in versions().items())} "
        f"on Python {platform.python_version()}.",
        *([KEPT] if precision == "fp16" else []),
        "",
        "## Licences",
        "",
        *(f"- `{name}`: {licence}" for name, licence in licences.items()),
        "",
        "## Models",
        "",
        "Against the original network in FP32, on the CPU: error is max|a-b| / max|b|. Promised is "
        + (
            f"at least {MIN_PSNR:.0f} dB."
            if precision == "fp16"
            else f"at most {MAX_ERROR:.0e}, and {MAX_LEVELS} of 255 levels of a pixel."
        ),
        "",
        "| model | checked | seconds | peak memory so far | SHA-256 of graph and weights |",
        "|---|---|---|---|---|",
        *(
            f"| `{name}` | {'; '.join(entry.checks)} | {entry.seconds:.0f} | {entry.peak_gigabytes:.1f} GB "
            f"| `{entry.model_sha256}` |"
            for name, entry in models.items()
        ),
        "",
        "## Made from",
        "",
        "| file | SHA-256 |",
        "|---|---|",
        *(f"| {name} | `{digest}` |" for name, digest in sources.items()),
        "",
    ]
    path = record.out / "MODEL_CARD.md"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path
