"""Pictures that the gateway makes, kept in a work folder by person and seed: only what is missing is asked for.

WORK/<request and models>/<person>/<seed>.png, and beside it .json with what the gateway reported of it.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.api import Gateway, message
from evaluation.people import Person
from evaluation.progress import Bar

CALLERS = 4  # at once, so that the batcher has something to join
MOST_IMAGES = 16  # of a request
SEEDS_PER_PERSON = 1000
DRAWING = ("encoder", "unet", "vae_decoder")  # what a picture depends on; variants are named unet_<variant>


@dataclass(frozen=True)
class Options:
    """What every request has in common; None and "" leave it to the server."""

    steps: int | None = None
    guidance: float | None = None
    scheduler: str = ""
    variant: str = ""
    jpeg: bool = False


@dataclass(frozen=True)
class Picture:
    """A delivered picture: the person's number, its seed, its bytes, and what the gateway says of it.

    That is the similarity and the landmarks [5,2] of the face that it scored, both None where it found no face.
    """

    person: int
    seed: int
    data: bytes
    reported: float | None
    landmarks: np.ndarray | None


class Gallery:
    """The pictures of one kind of request, in a folder of their own."""

    def __init__(self, gateway: Gateway, info: Any, work: Path, options: Options) -> None:
        """`info` is the gateway's model info: pictures of other models are other pictures."""
        self.gateway, self.options = gateway, options
        models = {model.name: model.sha256 for model in info.models if model.name.startswith(DRAWING)}
        settings = json.dumps({**asdict(options), "models": models}, sort_keys=True, indent=1)
        self.folder = work / _short(settings.encode())
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "settings.json").write_text(settings + "\n")

    def fill(self, people: Sequence[Person], images: int, seed: int) -> list[Picture]:
        """`images` pictures of each person, person by person, each person with seeds of their own."""
        jobs = [
            (number, run)
            for number, person in enumerate(people)
            for run in self._missing(person, _seeds(seed, number, images))
        ]
        done = len(people) * images - sum(len(run) for _, run in jobs)
        bar = Bar("portraits", len(people) * images, done)
        with bar, ThreadPoolExecutor(CALLERS) as pool:
            for count in pool.map(lambda job: self._ask(people[job[0]], job[1]), jobs):
                bar.advance(count)
        return [
            self._read(number, person, one)
            for number, person in enumerate(people)
            for one in _seeds(seed, number, images)
        ]

    def ask(self, person: Person, seeds: Sequence[int]) -> Iterator[Any]:
        """Portraits of consecutive seeds, as they come; nothing is kept."""
        request = message(
            "GenerateRequest",
            identity=person.source,
            num_images=len(seeds),
            seed=seeds[0],
            preview_every=0,
            scheduler=self.options.scheduler,
            variant=self.options.variant,
            output_format="IMAGE_FORMAT_JPEG" if self.options.jpeg else "IMAGE_FORMAT_PNG",
        )
        if self.options.steps is not None:
            request.steps = self.options.steps
        if self.options.guidance is not None:
            request.guidance_scale = self.options.guidance
        for event in self.gateway.generate(request):
            if event.HasField("image"):
                yield event.image

    def _ask(self, person: Person, seeds: Sequence[int]) -> int:
        for image in self.ask(person, seeds):
            score = image.identity_score
            found = score.HasField("similarity")
            report = {
                "similarity": score.similarity if found else None,
                "landmarks": [[point.x, point.y] for point in score.face.landmarks] if found else None,
            }
            path = self._path(person, image.seed)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(image.data)
            _write_whole(
                path.with_suffix(".json"), json.dumps(report)
            )  # the last of the two: now it is there
        return len(seeds)

    def _missing(self, person: Person, seeds: range) -> Iterator[list[int]]:
        """Runs of consecutive seeds whose pictures are not there."""
        missing = [seed for seed in seeds if not self._path(person, seed).with_suffix(".json").exists()]
        for _, run in groupby(enumerate(missing), lambda pair: pair[1] - pair[0]):
            run_seeds = [seed for _, seed in run]
            for start in range(0, len(run_seeds), MOST_IMAGES):
                yield run_seeds[start : start + MOST_IMAGES]

    def _read(self, number: int, person: Person, seed: int) -> Picture:
        path = self._path(person, seed)
        report = json.loads(path.with_suffix(".json").read_text())
        landmarks = None if report["landmarks"] is None else np.array(report["landmarks"])
        return Picture(number, seed, path.read_bytes(), report["similarity"], landmarks)

    def _path(self, person: Person, seed: int) -> Path:
        source = _short(person.source.SerializeToString(deterministic=True))
        return self.folder / f"{person.name}-{source}" / f"{seed}.{'jpg' if self.options.jpeg else 'png'}"


def _seeds(seed: int, person: int, images: int) -> range:
    if images > SEEDS_PER_PERSON:
        raise ValueError(f"at most {SEEDS_PER_PERSON} pictures of a person")
    first = seed + person * SEEDS_PER_PERSON
    return range(first, first + images)


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _write_whole(path: Path, text: str) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(text)
    partial.replace(path)
