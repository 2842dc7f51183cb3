"""Fetches the published files from Hugging Face, into the layout; what is there already is not fetched again."""

from pathlib import Path

from huggingface_hub import hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

from export.arc2face.layout import Layout

ARC2FACE, STABLE_DIFFUSION = "FoivosPar/Arc2Face", "stable-diffusion-v1-5/stable-diffusion-v1-5"
FILES = [  # repository, file in it, folder of the layout
    (ARC2FACE, "arc2face/config.json", "."),
    (ARC2FACE, "arc2face/diffusion_pytorch_model.safetensors", "."),
    (ARC2FACE, "encoder/config.json", "."),
    (ARC2FACE, "encoder/pytorch_model.bin", "."),
    (ARC2FACE, "arcface.onnx", "antelopev2"),
    (STABLE_DIFFUSION, "scheduler/scheduler_config.json", "stable-diffusion-v1-5"),
    (STABLE_DIFFUSION, "tokenizer/vocab.json", "stable-diffusion-v1-5"),
    (STABLE_DIFFUSION, "tokenizer/merges.txt", "stable-diffusion-v1-5"),
    (STABLE_DIFFUSION, "tokenizer/tokenizer_config.json", "stable-diffusion-v1-5"),
    (STABLE_DIFFUSION, "tokenizer/special_tokens_map.json", "stable-diffusion-v1-5"),
    (STABLE_DIFFUSION, "vae/config.json", "stable-diffusion-v1-5"),
    (STABLE_DIFFUSION, "vae/diffusion_pytorch_model.safetensors", "stable-diffusion-v1-5"),
]
DETECTOR = (
    "the detector is not on Hugging Face: take scrfd_10g_bnkps.onnx out of antelopev2.zip "
    "(https://github.com/deepinsight/insightface/releases/tag/v0.7) and put it at {}"
)


class DownloadError(Exception):
    """Says what could not be fetched, and what to do."""


def download(folder: Path) -> Layout:
    layout = Layout(folder)
    if not layout.detector.is_file():
        raise DownloadError(DETECTOR.format(layout.detector))
    for repository, name, below in FILES:
        try:
            hf_hub_download(repository, name, local_dir=folder / below)
        except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
            raise DownloadError(
                f"{name} of https://huggingface.co/{repository} could not be fetched: {error}. Downloaded by hand, "
                f"it belongs at {folder / below / name}; then export with --source {folder}"
            ) from error
    return Layout.find(folder)
