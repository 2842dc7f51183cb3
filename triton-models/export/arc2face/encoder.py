"""The contract's `encoder`: CLIP's text transformer, fine-tuned by Arc2Face to take an identity in place of a word."""

from pathlib import Path

import torch
from torch import Tensor as Array
from torch import nn
from torch.nn import functional as F
from transformers import CLIPTextModel, CLIPTokenizer

from export.arc2face import traced
from export.arc2face.layout import Layout
from export.arc2face.traced import DATA_TYPES, Check, Precision
from export.config import Tensor, write_config

MAX_BATCH = 8

PROMPT, EMPTY_PROMPT = "photo of a id person", ""
IDENTITY_TOKEN = "id"


class IdentityEncoder(nn.Module):
    """Unit embedding [B,D] -> context [B,T,C], and the context [B,T,C] of the empty prompt.

    The official pipeline's `project_face_embs`: the embedding, padded by zeros to [C], stands where the token
    embedding of `id` would; the position embedding is added to it as to every token.
    """

    def __init__(self, model: CLIPTextModel, tokenizer: Path) -> None:
        super().__init__()
        model.set_attn_implementation("eager")
        self.layers, self.final_norm = model.encoder, model.final_layer_norm
        self.length, self.width = model.config.max_position_embeddings, model.config.hidden_size
        tokens, place = prompt_tokens(tokenizer, PROMPT, self.length)
        here = F.one_hot(torch.tensor(place), self.length)[None, :, None]  # [1,T,1]
        with torch.no_grad():
            words = model.embeddings(input_ids=torch.tensor([tokens]))
            position = model.embeddings.position_embedding.weight
            self.register_buffer("here", here.float())
            self.register_buffer("prompt", torch.where(here == 1, position, words))  # [1,T,C]
            self.register_buffer("mask", torch.full([self.length] * 2, -1e4).triu(1)[None, None])  # [1,1,T,T]
            empty, _ = prompt_tokens(tokenizer, EMPTY_PROMPT, self.length)
            negative = self._transform(model.embeddings(input_ids=torch.tensor([empty])))
            self.register_buffer("negative_context", negative)  # [1,T,C]

    def forward(self, id_embedding: Array) -> tuple[Array, Array]:
        identity = id_embedding.to(self.prompt.dtype)
        identity = F.pad(identity, (0, self.width - identity.shape[1]))[:, None]  # [B,1,C]
        context = self._transform(self.prompt + self.here * identity)
        return context, self.negative_context.expand_as(context)

    def _transform(self, embeddings: Array) -> Array:
        """The words' embeddings [B,T,C], positions added -> the last hidden state [B,T,C]."""
        return self.final_norm(self.layers(embeddings, attention_mask=self.mask).last_hidden_state)


def prompt_tokens(tokenizer: Path, prompt: str, length: int) -> tuple[list[int], int | None]:
    """The prompt's token ids, padded with <|endoftext|> to `length`, and the place of `id` among them."""
    clip = CLIPTokenizer.from_pretrained(tokenizer)
    tokens = clip(prompt, padding="max_length", max_length=length, truncation=True).input_ids
    (identity,) = clip.encode(IDENTITY_TOKEN, add_special_tokens=False)
    return tokens, tokens.index(identity) if identity in tokens else None


def export(
    layout: Layout, folder: Path, precision: Precision, size: int, parameters: dict[str, str]
) -> list[Check]:
    """Writes the model `folder`, for embeddings [B,size]."""
    model = CLIPTextModel.from_pretrained(layout.encoder, local_files_only=True)
    encoder = IdentityEncoder(model, layout.tokenizer)
    shape, kind = (encoder.length, encoder.width), DATA_TYPES[precision]
    inputs = [Tensor("id_embedding", "FP32", (size,))]
    outputs = [Tensor("context", kind, shape), Tensor("negative_context", kind, shape)]
    embeddings = F.normalize(torch.randn(3, size, generator=torch.Generator().manual_seed(0)))
    checks = traced.export(folder, encoder, inputs, outputs, [embeddings], precision)
    write_config(folder, folder.name, MAX_BATCH, inputs, outputs, parameters)
    return checks
