"""The contract's `unet`: one denoising step, each row at a timestep of its own."""

from pathlib import Path

from diffusers import UNet2DConditionModel
from diffusers.loaders import StableDiffusionLoraLoaderMixin


def fuse_lora(unet: UNet2DConditionModel, file: Path) -> None:
    """Adds a LoRA to the weights, as diffusers does it."""
    state, alphas = StableDiffusionLoraLoaderMixin.lora_state_dict(
        str(file.parent), weight_name=file.name, unet_config=unet.config, local_files_only=True
    )
    StableDiffusionLoraLoaderMixin.load_lora_into_unet(state, alphas, unet)
    unet.fuse_lora()
    unet.unload_lora()
