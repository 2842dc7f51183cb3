"""Where a training starts, and the folder in which it ends: that which `python -m export.arc2face --source` reads."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from export.arc2face.layout import Layout

if TYPE_CHECKING:
    from training.sd15.denoiser import Denoiser


class Start(Layout):
    """The published layout, in which `stable-diffusion-v1-5/` is whole. Its UNet and text encoder are the start unless
    there are Arc2Face's: published ones, or what an earlier stage made."""

    @property
    def unet(self) -> Path:
        return self._own("arc2face", "unet")

    @property
    def encoder(self) -> Path:
        return self._own("encoder", "text_encoder")

    def _own(self, fine_tuned: str, original: str) -> Path:
        folder = self.root / fine_tuned
        return folder if folder.is_dir() else self.stable_diffusion / original


def write(start: Start, denoiser: "Denoiser", out: Path) -> Layout:
    """The networks beside what was not trained: a folder that can be exported, or be the start of another stage."""
    layout = Layout(out)
    denoiser.encoder.save_pretrained(layout.encoder)
    denoiser.unet.save_pretrained(layout.unet)
    for source, copy in [
        (start.scheduler, layout.scheduler),
        (start.tokenizer, layout.tokenizer),
        (start.vae, layout.vae),
    ]:
        shutil.copytree(source, copy, dirs_exist_ok=True)
    layout.detector.parent.mkdir(exist_ok=True)
    for source, copy in [(start.detector, layout.detector), (start.recogniser, layout.recogniser)]:
        shutil.copyfile(source, copy)
    return Layout.find(out)
