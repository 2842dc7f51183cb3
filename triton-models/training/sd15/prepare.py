"""Puts pictures and their ArcFace embeddings into WebDataset shards, for `python -m training.sd15`.

Pictures come from a folder, at any depth, or from the shards (*.tar) in it. A sample of such a shard that has an
embedding keeps it, which is how pictures that were restored can have the embeddings of their originals. What shows no
face, is too small or cannot be read is left out and counted. `--part 0/8` is the first of eight that share the work; a
part that was interrupted goes on after its last whole shard.
"""

import argparse
import io
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import webdataset
from PIL import Image
from tqdm import tqdm

from evaluation.parity.face_stage import FaceStage
from export.arc2face.layout import Layout, MissingFilesError
from export.arc2face.preflight import UnfitError, embedding_size
from training.sd15.shards import EMBEDDING, PICTURES, ShardError, members

DETECTOR_SIDE = 640
BORDERS = (0.0, 0.5)  # a second look for faces that fill their picture, which SCRFD overlooks


@dataclass(frozen=True)
class Source:
    """A picture, and the embedding that it may have brought along."""

    name: str
    suffix: str
    picture: bytes
    embedding: np.ndarray | None = None


def main() -> None:
    parser = argparse.ArgumentParser(
        "training.sd15.prepare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=Path, required=True, metavar="DIR")
    parser.add_argument(
        "--source", type=Path, required=True, metavar="DIR", help="has antelopev2/ (docs/arc2face.md)"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the shards, and card-*.json")
    parser.add_argument("--part", type=_part, default=(0, 1), metavar="I/N", help="default: 0/1")
    parser.add_argument("--per-shard", type=int, default=5000, metavar="N", help="samples (default: 5000)")
    parser.add_argument("--least-side", type=int, default=256, metavar="PIXELS", help="default: 256")
    try:
        prepare(**vars(parser.parse_args()))
    except (MissingFilesError, ShardError, UnfitError) as error:
        sys.exit(f"error: {error}")


def prepare(
    pictures: Path, source: Path, out: Path, part: tuple[int, int], per_shard: int, least_side: int
) -> Counter:
    """Writes the shards of one part; returns how many pictures were taken, and left out for which reason."""
    layout = Layout(source)
    missing = [str(path) for path in (layout.detector, layout.recogniser) if not path.is_file()]
    if missing:
        raise MissingFilesError(f"there is no {' and no '.join(missing)} (docs/arc2face.md)")
    size = embedding_size(layout)
    todo = sources(pictures, *part)
    if not todo:
        raise ShardError(f"there are no pictures ({', '.join(PICTURES)}) and no shards (*.tar) in {pictures}")
    out.mkdir(parents=True, exist_ok=True)
    card = out / f"card-{part[0]:04d}-of-{part[1]:04d}.json"
    state = json.loads(card.read_text()) if card.is_file() else {"seen": 0, "shards": 0, "counts": {}}
    counts, faces = Counter(state["counts"]), FaceStage(layout)
    waiting = tqdm(
        enumerate(chain.from_iterable(map(read, todo))),
        desc="preparing",
        unit="picture",
        initial=state["seen"],
    )
    chosen: list[dict[str, object]] = []
    seen = state["seen"]

    def close_shard() -> None:
        if chosen:
            name = f"{part[0]:04d}-{state['shards']:06d}.tar"
            write_shard(chosen, out / name)
            state["shards"] += 1
            chosen.clear()
        state["seen"], state["counts"] = seen, dict(counts)
        card.write_text(json.dumps(state, indent=2) + "\n")

    for number, candidate in waiting:
        if number < state["seen"]:
            continue
        sample = judge(candidate, faces, size, least_side)
        counts[sample if isinstance(sample, str) else "taken"] += 1
        seen = number + 1
        if not isinstance(sample, str):
            chosen.append({"__key__": f"{part[0]:04d}-{number:09d}", **sample})
        if len(chosen) == per_shard:
            close_shard()
    close_shard()
    print(f"{counts['taken']} pictures in {state['shards']} shards; counted in {card}")
    return counts


def sources(pictures: Path, part: int, parts: int) -> list[Path]:
    """Every `parts`-th file with pictures, from the `part`-th on."""
    suffixes = {f".{suffix}" for suffix in PICTURES} | {".tar"}
    files = sorted(path for path in pictures.rglob("*") if path.suffix.lower() in suffixes and path.is_file())
    return files[part::parts]


def read(path: Path) -> Iterator[Source]:
    """The pictures of a file: itself, or a shard's."""
    if path.suffix.lower() != ".tar":
        yield Source(path.name, path.suffix.lower()[1:], path.read_bytes())
        return
    with path.open("rb") as shard:
        for key, files in members(path):
            suffix = next((suffix for suffix in PICTURES if suffix in files), None)
            if suffix is None:
                raise ShardError(f"{path.name}: sample {key} has no picture ({', '.join(PICTURES)})")
            packed = {name: _bytes(shard, *files[name]) for name in (suffix, EMBEDDING) if name in files}
            embedding = packed.get(EMBEDDING)
            yield Source(
                f"{path.name}: {key}",
                suffix,
                packed[suffix],
                np.load(io.BytesIO(embedding), allow_pickle=False) if embedding else None,
            )


def judge(source: Source, faces: FaceStage, size: int, least_side: int) -> dict[str, object] | str:
    """The files of a sample, or why it is left out."""
    try:
        with Image.open(io.BytesIO(source.picture)) as image:
            image.load()
            sides = image.size
    except (OSError, ValueError):
        return "unreadable"
    if min(sides) < least_side:
        return "too small"
    embedding = source.embedding
    if embedding is None:
        looks = (faces.embed(source.picture, DETECTOR_SIDE, border) for border in BORDERS)
        embedding = next((look for look in looks if look is not None), None)
    if embedding is None:
        return "no face"
    if embedding.shape != (size,):
        raise UnfitError(
            f"{source.name}: its embedding is {list(embedding.shape)}, the recogniser's are [{size}]"
        )
    length = np.linalg.norm(embedding.astype(np.float32))
    if not np.isfinite(length) or length == 0:
        return "embedding without direction"
    return {source.suffix: source.picture, EMBEDDING: embedding.astype(np.float32) / length}


def write_shard(samples: Iterable[dict[str, object]], path: Path) -> None:
    """Replaces `path` in one step: what is there is whole."""
    partial = path.with_suffix(".partial")
    with webdataset.TarWriter(str(partial), mtime=0) as shard:
        for sample in samples:
            shard.write(sample)
    partial.replace(path)


def _bytes(shard: io.BufferedReader, offset: int, size: int) -> bytes:
    shard.seek(offset)
    return shard.read(size)


def _part(text: str) -> tuple[int, int]:
    part, _, parts = text.partition("/")
    if not (part.isdigit() and parts.isdigit() and int(part) < int(parts)):
        raise argparse.ArgumentTypeError(f"{text} is not I/N with I in 0..N-1")
    return int(part), int(parts)


if __name__ == "__main__":
    main()
