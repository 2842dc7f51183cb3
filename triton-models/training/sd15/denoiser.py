"""Encoder and UNet as one network, because one loss trains both."""

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import CLIPTextModel

from export.arc2face.encoder import EMPTY_PROMPT, PROMPT, prompt_tokens
from training.sd15.weights import Start


class Denoiser(nn.Module):
    """Noisy latents [B,4,h,w], timesteps [B], unit embeddings [B,D], conditional [B] -> prediction [B,4,h,w].

    A conditional row's context is the prompt with its zero-padded embedding in the place of the token `id`; the others'
    is the empty prompt, from which a generation is guided away. Both pass through the encoder, which learns of both.
    """

    def __init__(
        self, encoder: CLIPTextModel, unet: UNet2DConditionModel, tokens: Tensor, identity: int
    ) -> None:
        super().__init__()
        self.encoder, self.unet = encoder, unet
        self.register_buffer("tokens", tokens, persistent=False)  # [2,T]: of the prompt, of the empty one
        here = torch.arange(tokens.shape[1]) == identity
        self.register_buffer("here", here[None, :, None], persistent=False)  # [1,T,1]

    @classmethod
    def load(cls, start: Start) -> "Denoiser":
        """The networks with which a training starts, in FP32."""
        encoder = CLIPTextModel.from_pretrained(start.encoder, local_files_only=True, dtype=torch.float32)
        unet = UNet2DConditionModel.from_pretrained(
            start.unet, local_files_only=True, torch_dtype=torch.float32
        )
        length = encoder.config.max_position_embeddings
        prompt, identity = prompt_tokens(start.tokenizer, PROMPT, length)
        empty, _ = prompt_tokens(start.tokenizer, EMPTY_PROMPT, length)
        return cls(encoder, unet, torch.tensor([prompt, empty]), identity)

    def recompute_activations(self) -> None:
        """Keeps only each block's input for the backward pass: less memory, a third more time."""
        self.encoder.activation_checkpointing_enable()
        self.unet.enable_gradient_checkpointing()

    def forward(self, latents: Tensor, timesteps: Tensor, embeddings: Tensor, conditional: Tensor) -> Tensor:
        return self.unet(latents, timesteps, self.context(embeddings, conditional)).sample

    def context(self, embeddings: Tensor, conditional: Tensor) -> Tensor:
        """[B,D], [B] -> [B,T,C]."""
        prompt, empty = self.encoder.get_input_embeddings()(self.tokens)  # [T,C] each
        identities = F.pad(embeddings, (0, prompt.shape[1] - embeddings.shape[1]))[:, None]  # [B,1,C]
        words = torch.where(conditional[:, None, None], torch.where(self.here, identities, prompt), empty)
        embedded = self.encoder.embeddings(inputs_embeds=words)  # positions added
        hidden = self.encoder.encoder(inputs_embeds=embedded, attention_mask=None, is_causal=True)
        return self.encoder.final_layer_norm(hidden.last_hidden_state)
