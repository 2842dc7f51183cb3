"""The whole measurement: from people to pictures to figures."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from evaluation import agreement, held_out, independent
from evaluation.api import Gateway
from evaluation.gallery import Gallery, Options, Picture
from evaluation.observation import Face, look, mirrored, observe
from evaluation.people import PHOTOS, Group, Person
from evaluation.statistics import frechet_distance, mean, threshold
from evaluation.tables import (
    FaceSet,
    Targets,
    Thresholds,
    features,
    independence,
    quality,
    same_person,
    similarity,
    spread,
    table,
)

OWN = "gateway"  # the name of what is measured, beside other methods
CONTROL_PEOPLE = 8  # whose first picture is asked for twice
FALSE_ACCEPTANCE = 0.001  # share of pairs of different people that a threshold lets through


@dataclass(frozen=True)
class Plan:
    """What is asked for and compared."""

    options: Options
    images: int
    seed: int
    work: Path
    curve_steps: Sequence[int] = ()
    curve_people: int = 32
    methods: Sequence[tuple[str, Path]] = ()


def measure(gateway: Gateway, info: Any, group: Group, plan: Plan) -> tuple[dict[str, Any], list[Picture]]:
    """The report, and the gateway's pictures."""
    people = group.people
    sources = [
        row[0] if row else None
        for row in observe_people(gateway, [person.pictures[:1] for person in people], "source pictures")
    ]
    others = observe_people(gateway, [person.pictures[1:] for person in people], group.others)
    targets = Targets(
        np.stack([person.embedding for person in people]),
        [None if face is None else face.descriptor for face in sources],
    )
    originals = [face for row in ([*sources], *others) for face in row if face is not None]
    thresholds = find_thresholds(info.same_person_threshold, targets)

    gallery = Gallery(gateway, info, plan.work, plan.options)
    pictures = gallery.fill(people, plan.images, plan.seed)
    made = observe_people(gateway, by_person(people, pictures), OWN)
    report = {
        "profile": info.profile,
        "recogniser": info.recogniser_id,
        "models": {model.name: model.sha256 for model in info.models},
        "of": group.kind,
        "people": [person.name for person in people],
        "left_out": list(group.left_out),
        "images_per": plan.images,
        "seed": plan.seed,
        "options": asdict(plan.options),
        "methods": {OWN: table(made, targets, thresholds, originals)},
        "real": real(gateway, group, sources, others, originals),
        "same_seed": same_seed(gateway, gallery, people, pictures),
        "curve": curve(gateway, info, people, plan, targets, thresholds, originals),
    }
    for name, folder in plan.methods:
        faces = method_faces(gateway, people, name, folder)
        report["methods"][name] = table(faces, targets, thresholds, originals)
    if info.recogniser_id == held_out.RECOGNISER:
        report |= agreement.judge(people, pictures)
    return report, pictures


def observe_people(gateway: Gateway, pictures: Sequence[Sequence[bytes]], name: str) -> FaceSet:
    """The faces in each person's encoded pictures."""
    seen = iter(observe(gateway, [data for row in pictures for data in row], name))
    return [[next(seen) for _ in row] for row in pictures]


def by_person(people: Sequence[Person], pictures: Sequence[Picture]) -> list[list[bytes]]:
    """What is in the pictures, person by person."""
    rows: list[list[bytes]] = [[] for _ in people]
    for picture in pictures:
        rows[picture.person].append(picture.data)
    return rows


def find_thresholds(served: float, targets: Targets) -> Thresholds:
    """One in a thousand pairs of these different people is taken for one person.

    Where they are too few to say: the threshold that the gateway goes by, and dlib's own.
    """
    first, second = np.triu_indices(len(targets.embeddings), 1)
    cosines = (targets.embeddings @ targets.embeddings.T)[first, second]
    known = [descriptor for descriptor in targets.descriptors if descriptor is not None]
    distances = np.array([np.linalg.norm(one - other) for one, other in combinations(known, 2)])
    cosine, distance = threshold(cosines, FALSE_ACCEPTANCE), threshold(-distances, FALSE_ACCEPTANCE)
    return Thresholds(
        served if cosine is None else cosine,
        independent.SAME_PERSON if distance is None else -distance,
    )


def real(
    gateway: Gateway,
    group: Group,
    sources: Sequence[Face | None],
    others: FaceSet,
    originals: Sequence[Face],
) -> dict[str, Any]:
    """What the recognisers say of real pictures: of the same person, mirrored and otherwise, and how much they vary."""
    shown = [person for person in group.people if person.pictures]
    mirror = observe(gateway, [mirrored(person.pictures[0]) for person in shown], "mirrored")
    seen = [face for person, face in zip(group.people, sources, strict=True) if person.pictures]
    pairs = [(one, other) for one, row in zip(sources, others, strict=True) for other in row]
    families = [
        [face for face in (source, *row) if face is not None]
        for source, row in zip(sources, others, strict=True)
        if row
    ]
    halves = features(originals[::2]), features(originals[1::2])
    return {
        "mirrored": same_person(list(zip(seen, mirror, strict=True))),
        group.others: same_person(pairs),
        "diversity": spread(families),
        "frechet_distance_of_halves": frechet_distance(*halves),
    }


def same_seed(
    gateway: Gateway, gallery: Gallery, people: Sequence[Person], pictures: Sequence[Picture]
) -> dict[str, Any]:
    """The control of diversity: the same seed once more gives the same bytes, so that nothing is apart."""
    firsts = {picture.person: picture for picture in reversed(pictures)}
    apart, same_bytes = [], []
    for number, person in enumerate(people[:CONTROL_PEOPLE]):
        picture = firsts[number]
        again = next(gallery.ask(person, [picture.seed])).data
        same_bytes.append(again == picture.data)
        one, other = look(gateway, picture.data), look(gateway, again)
        if one is not None and other is not None:
            apart.append(float(np.linalg.norm(one.features - other.features)))
    return {
        "pictures": len(same_bytes),
        "same_bytes": all(same_bytes),
        "features": max(apart, default=None),
    }


def curve(
    gateway: Gateway,
    info: Any,
    people: Sequence[Person],
    plan: Plan,
    targets: Targets,
    thresholds: Thresholds,
    originals: Sequence[Face],
) -> list[dict[str, Any]]:
    """One picture of each of the first people, with each variant that is served and each number of steps."""
    some = people[: plan.curve_people]
    rows = []
    for variant in info.variants if plan.curve_steps else ():
        for steps in plan.curve_steps:
            options = replace(plan.options, variant=variant.id, steps=steps)
            if variant.id != plan.options.variant:  # the others have schedulers and guidance of their own
                options = replace(options, scheduler="", guidance=None)
            pictures = Gallery(gateway, info, plan.work, options).fill(some, 1, plan.seed)
            made = observe_people(gateway, by_person(some, pictures), f"{variant.id}, {steps} steps")
            faces = [face for row in made for face in row]
            rows.append(
                {
                    "variant": variant.id,
                    "steps": steps,
                    "pictures": len(pictures),
                    "faces_found": mean([face is not None for face in faces]),
                    "similarity": similarity(made, targets, thresholds),
                    "independent": independence(made, targets, thresholds),
                    "quality": quality([face for face in faces if face is not None], originals),
                }
            )
    return rows


def method_faces(gateway: Gateway, people: Sequence[Person], name: str, folder: Path) -> FaceSet:
    """Another system's pictures: FOLDER/<person>/<picture>, as many as there are."""
    rows = []
    missing = [person.name for person in people if not (folder / person.name).is_dir()]
    if len(missing) == len(people):
        raise SystemExit(
            f"{folder} has none of the folders {missing[:3]}... that {name}'s pictures would be in"
        )
    for person in people:
        files = sorted(path for path in (folder / person.name).glob("*") if path.suffix.lower() in PHOTOS)
        rows.append([path.read_bytes() for path in files])
    return observe_people(gateway, rows, name)
