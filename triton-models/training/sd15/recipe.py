"""What decides the result of a training, as a file of TOML: `recipes/` has Arc2Face's two stages."""

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import tomllib

RECIPES = Path(__file__).with_name("recipes")
PRECISIONS = ("bf16", "fp16", "fp32")
PICTURE_STEP = 64  # pixels: the autoencoder halves three times, the UNet three times again


class RecipeError(ValueError):
    """Says what is wrong with a recipe."""


@dataclass(frozen=True)
class Recipe:
    """Batches are those of one step of the optimiser, over all processes."""

    epochs: float
    resolution: int
    batch: int
    unet_learning_rate: float
    encoder_learning_rate: float
    warm_up: int = 500  # steps in which the learning rates grow
    weight_decay: float = 0.01
    largest_gradient: float = 1.0  # norm over all parameters
    unconditional: float = 0.1  # share of the rows that learn the empty prompt
    min_snr: float = (
        0.0  # limit of the weighting by signal-to-noise (arXiv:2303.09556); 0: every timestep counts alike
    )
    average_decay: float = 0.9999
    precision: str = "bf16"
    shuffled_shards: int = 16  # whose samples are shuffled among each other
    seed: int = 0

    def __post_init__(self) -> None:
        faults = [
            f"{name} = {getattr(self, name)!r} is not {wanted}"
            for name, holds, wanted in [
                ("epochs", self.epochs > 0, "positive"),
                (
                    "resolution",
                    self.resolution > 0 and self.resolution % PICTURE_STEP == 0,
                    "a multiple of 64",
                ),
                ("batch", self.batch > 0, "positive"),
                ("unet_learning_rate", self.unet_learning_rate > 0, "positive"),
                ("encoder_learning_rate", self.encoder_learning_rate > 0, "positive"),
                ("warm_up", self.warm_up >= 0, "0 or more"),
                ("weight_decay", self.weight_decay >= 0, "0 or more"),
                ("largest_gradient", self.largest_gradient > 0, "positive"),
                ("unconditional", 0 <= self.unconditional < 1, "in 0..1, 1 excluded"),
                ("min_snr", self.min_snr >= 0, "0 or more"),
                ("average_decay", 0 <= self.average_decay < 1, "in 0..1, 1 excluded"),
                ("precision", self.precision in PRECISIONS, f"one of {', '.join(PRECISIONS)}"),
                ("shuffled_shards", self.shuffled_shards > 0, "positive"),
                ("seed", self.seed >= 0, "0 or more"),
            ]
            if not holds
        ]
        if faults:
            raise RecipeError("the recipe cannot be: " + "; ".join(faults))

    def rate_factor(self, step: int) -> float:
        """Of the learning rates, a function of the step alone, so that a resumed training has nothing to restore."""
        return min(1.0, (step + 1) / max(1, self.warm_up))

    def differences(self, other: dict[str, Any]) -> list[str]:
        """Where a training that began with `other` was told something else."""
        return [
            f"{name} was {other.get(name)!r} and is {value!r}"
            for name, value in asdict(self).items()
            if other.get(name) != value
        ]


def load(name: str) -> Recipe:
    """A recipe by its name in `recipes/`, or a file of one's own."""
    path = RECIPES / f"{name}.toml"
    if not path.is_file():
        path = Path(name)
    if not path.is_file():
        known = ", ".join(sorted(recipe.stem for recipe in RECIPES.glob("*.toml")))
        raise RecipeError(f"there is no recipe {name}: neither a file nor one of {known}")
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{path} is not TOML: {error}") from error
    types = {field.name: field.type for field in fields(Recipe)}
    for key, value in settings.items():
        if key not in types:
            raise RecipeError(f"{path}: there is no setting {key}, only {', '.join(types)}")
        fits = type(value) is types[key] or (types[key] is float and type(value) is int)
        if not fits:
            raise RecipeError(f"{path}: {key} = {value!r} is not of type {types[key].__name__}")
    try:
        return Recipe(**settings)
    except TypeError as error:
        raise RecipeError(f"{path} is not complete: {error}") from error
