"""Where the published files lie, below one folder.

arc2face/                   the UNet (FoivosPar/Arc2Face)
encoder/                    CLIP's text transformer, fine-tuned to take an identity (FoivosPar/Arc2Face)
stable-diffusion-v1-5/      scheduler, tokenizer and vae
antelopev2/                 detector (insightface) and recogniser (FoivosPar/Arc2Face's arcface.onnx)
"""

from dataclasses import dataclass
from pathlib import Path

WEIGHTS = "diffusion_pytorch_model.safetensors"
RANDOM = "RANDOM_WEIGHTS"
ENCODER_WEIGHTS = ("model.safetensors", "pytorch_model.bin")


class MissingFilesError(Exception):
    """Names every file that is not there."""


@dataclass(frozen=True)
class Layout:
    """The published files below `root`; `find` checks that they are there."""

    root: Path

    @property
    def unet(self) -> Path:
        return self.root / "arc2face"

    @property
    def encoder(self) -> Path:
        return self.root / "encoder"

    @property
    def stable_diffusion(self) -> Path:
        return self.root / "stable-diffusion-v1-5"

    @property
    def scheduler(self) -> Path:
        return self.stable_diffusion / "scheduler"

    @property
    def tokenizer(self) -> Path:
        return self.stable_diffusion / "tokenizer"

    @property
    def vae(self) -> Path:
        return self.stable_diffusion / "vae"

    @property
    def detector(self) -> Path:
        return self.root / "antelopev2" / "scrfd_10g_bnkps.onnx"

    @property
    def recogniser(self) -> Path:
        return self.root / "antelopev2" / "arcface.onnx"

    @property
    def random_size(self) -> str | None:
        """The size at which `random_weights` wrote it, None of published weights."""
        marker = self.root / RANDOM
        return marker.read_text().strip() if marker.is_file() else None

    @property
    def encoder_weights(self) -> Path:
        """The encoder was published as pytorch_model.bin; whoever converted it has model.safetensors."""
        present = (self.encoder / name for name in ENCODER_WEIGHTS if (self.encoder / name).is_file())
        return next(present, self.encoder / ENCODER_WEIGHTS[-1])

    def files(self) -> list[Path]:
        """All that an export reads."""
        return [
            self.unet / "config.json",
            self.unet / WEIGHTS,
            self.encoder / "config.json",
            self.encoder_weights,
            self.scheduler / "scheduler_config.json",
            self.tokenizer / "vocab.json",
            self.tokenizer / "merges.txt",
            self.vae / "config.json",
            self.vae / WEIGHTS,
            self.detector,
            self.recogniser,
        ]

    @classmethod
    def find(cls, source: Path) -> "Layout":
        layout = cls(source)
        missing = [path.relative_to(source) for path in layout.files() if not path.is_file()]
        if missing:
            raise MissingFilesError(
                f"{source} lacks "
                + ", ".join(map(str, missing))
                + " (docs/arc2face.md says where they come from)"
            )
        return layout
