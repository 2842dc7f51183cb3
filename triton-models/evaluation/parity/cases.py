"""What is drawn by both sides."""

from collections.abc import Iterator
from dataclasses import dataclass

SEED = 20240917


@dataclass(frozen=True)
class Case:
    """One request: `images` pictures with the seeds SEED, SEED + 1, ...; `variant` as the API names it."""

    scheduler: str
    steps: int
    images: int = 1
    guidance: float = 3.0
    guidance_until: float = 1.0
    variant: str = "base"

    @property
    def name(self) -> str:
        """Names a file and a row of the report."""
        until = "" if self.guidance_until == 1 else f"-until-{self.guidance_until:g}"
        return f"{self.variant}-{self.scheduler}-{self.steps}x{self.images}-guidance-{self.guidance:g}{until}"


# Whose pictures must change with the embedding, the seed, the timestep and the guidance.
BASE = Case("dpmpp_2m", 5)
LCM = Case("lcm", 5, guidance=1.0, variant="lcm")
FULL = (BASE, LCM)


def reduced() -> Iterator[Case]:
    """Every scheduler, one and three pictures, guidance 1, 3 and 3 for a while, even and odd step counts."""
    yield BASE
    yield LCM
    for scheduler in ("dpmpp_2m", "euler", "ddim"):
        for steps, images in ((7, 1), (4, 3)):
            yield Case(scheduler, steps, images)
            yield Case(scheduler, steps, images, guidance=1.0)
            yield Case(scheduler, steps, images, guidance_until=0.6)
    for steps, images in ((1, 1), (3, 3), (4, 1)):
        yield Case("lcm", steps, images, guidance=1.0, variant="lcm")
    yield Case("lcm", 5, 3, guidance=3.0, guidance_until=0.6, variant="lcm")
    yield Case("dpmpp_2m", 25)


SETS = {"reduced": tuple(reduced()), "full": FULL}
