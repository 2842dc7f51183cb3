"""The exported encoder must be the official recipe: an identity in place of the word `id`."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch.nn import functional as F
from transformers import CLIPTextModel, CLIPTokenizer

from export.arc2face import encoder
from export.arc2face.layout import Layout


@pytest.fixture(scope="module")
def session(exported: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(exported / "encoder" / "1" / "model.onnx")


def embeddings(rows: int) -> torch.Tensor:
    return F.normalize(torch.randn(rows, 64, generator=torch.Generator().manual_seed(3)))


def test_prompt_is_padded_with_the_end_of_text(published: Path) -> None:
    tokens, place = encoder.prompt_tokens(Layout(published).tokenizer, "photo of a id person", 77)
    assert tokens == [49406, 1125, 539, 320, 1014, 2533, *[49407] * 71]
    assert place == 4


def test_empty_prompt_has_no_identity(published: Path) -> None:
    tokens, place = encoder.prompt_tokens(Layout(published).tokenizer, "", 77)
    assert tokens == [49406, *[49407] * 76]
    assert place is None


@torch.inference_mode()
def test_context_is_the_official_recipes(session: onnxruntime.InferenceSession, published: Path) -> None:
    layout = Layout(published)
    clip, model = (
        CLIPTokenizer.from_pretrained(layout.tokenizer),
        CLIPTextModel.from_pretrained(layout.encoder),
    )
    identities = embeddings(3)

    def put_identities(module: object, arguments: tuple[torch.Tensor], words: torch.Tensor) -> torch.Tensor:
        words[arguments[0] == clip.encode("id", add_special_tokens=False)[0]] = F.pad(
            identities, (0, 96 - 64)
        )
        return words

    def hidden_state(prompt: str) -> np.ndarray:
        tokens = clip(
            prompt, padding="max_length", max_length=77, truncation=True, return_tensors="pt"
        ).input_ids
        return model(tokens.repeat(3, 1)).last_hidden_state.numpy()

    negative = hidden_state("")
    hook = model.embeddings.token_embedding.register_forward_hook(put_identities)
    context = hidden_state("photo of a id person")
    hook.remove()

    ours = session.run(["context", "negative_context"], {"id_embedding": identities.numpy()})
    for actual, expected in zip(ours, [context, negative], strict=True):
        np.testing.assert_allclose(actual, expected, atol=1e-4 * np.abs(expected).max(), rtol=0)
    assert np.abs(context[0] - context[1]).max() > 0.1


def test_rows_do_not_depend_on_their_batch(session: onnxruntime.InferenceSession) -> None:
    rows = embeddings(encoder.MAX_BATCH).numpy()
    alone = [session.run(["context"], {"id_embedding": rows[i : i + 1]})[0] for i in range(len(rows))]
    for count in range(2, len(rows) + 1):
        (together,) = session.run(["context"], {"id_embedding": rows[:count]})
        assert together.tobytes() == np.concatenate(alone[:count]).tobytes(), f"{count} rows"
