"""A small set of pictures and embeddings in shards, written by the webdataset package itself."""

import io
from pathlib import Path

import numpy as np
import webdataset
from PIL import Image

SHARDS, SAMPLES = 3, 4  # of them in a shard
EMBEDDING = 64


def write(folder: Path, embedding: int = EMBEDDING) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    chance = np.random.default_rng(0)
    for shard in range(SHARDS):
        with webdataset.TarWriter(str(folder / f"faces-{shard}.tar")) as tar:
            for sample in range(SAMPLES):
                colours = chance.integers(0, 256, (8, 8, 3), np.uint8)
                packed = io.BytesIO()
                Image.fromarray(colours).resize((72, 64)).save(packed, "png")
                tar.write(
                    {
                        "__key__": f"{shard}-{sample}",
                        "png": packed.getvalue(),
                        "npy": chance.standard_normal(embedding).astype(np.float32),
                    }
                )
    return folder
