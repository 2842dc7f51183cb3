"""200 people who do not exist and whom no training saw, and pictures of them.

Committed, so that measuring needs neither torch nor the face generator: their embeddings (held_out.npy, [200,256] of
unit length), their portraits (held_out.jpg) and, of the first 50, portraits of near neighbours in the generator's
latent space (held_out_neighbours.jpg): as close as the generator comes to a second picture of a person. Run as a
script, in the environment for training, this makes them anew.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from evaluation import faces
from training import reserved

RECOGNISER = "mobileface-human-models-3.0.4"
PEOPLE, COLUMNS = 200, 20
WITH_NEIGHBOURS, NEIGHBOURS = 50, 4
DISTANCE = 0.3  # of a neighbour's noise from the person's, in standard deviations
SIDE = 128
JPEG = {"quality": 93, "subsampling": 0, "optimize": True}
_FOLDER = Path(__file__).parent
_EMBEDDINGS, _PORTRAITS, _NEIGHBOURS = (
    _FOLDER / name for name in ("held_out.npy", "held_out.jpg", "held_out_neighbours.jpg")
)


def embeddings() -> np.ndarray:
    """Unit embeddings [200,256] of the people, in the order of their seeds."""
    return np.load(_EMBEDDINGS)


def seeds() -> list[int]:
    """The generator's seeds of the people."""
    return reserved.seeds()["held_out"]


def portraits() -> np.ndarray:
    """A picture of each [200,128,128,3]: the one whose embedding is theirs."""
    return _tiles(_PORTRAITS)


def neighbours() -> dict[int, np.ndarray]:
    """Pictures [4,128,128,3] of near neighbours of the first 50 people, by the person's number."""
    tiles = _tiles(_NEIGHBOURS).reshape(WITH_NEIGHBOURS, NEIGHBOURS, SIDE, SIDE, 3)
    return dict(enumerate(tiles))


def embed(pictures: np.ndarray) -> np.ndarray:
    """Portraits [N,128,128,3] -> unit embeddings [N,256]; every one of them must show a face."""
    found = [faces.find(picture) for picture in pictures]
    missing = [number for number, face in enumerate(found) if face is None]
    if missing:
        raise SystemExit(f"no face in the portraits {missing}")
    return faces.embed(np.stack([faces.align(*pair) for pair in zip(pictures, found, strict=True)]))


def _tiles(path: Path) -> np.ndarray:
    """The tiles of a sheet, row by row."""
    sheet = np.asarray(Image.open(path).convert("RGB"))
    rows, columns = (side // SIDE for side in sheet.shape[:2])
    return sheet.reshape(rows, SIDE, columns, SIDE, 3).swapaxes(1, 2).reshape(-1, SIDE, SIDE, 3)


def _save(path: Path, tiles: np.ndarray) -> None:
    """Writes tiles [N,128,128,3] as a sheet of 20 columns; no block of the JPEG reaches from one into another."""
    rows = tiles.reshape(-1, COLUMNS, SIDE, SIDE, 3).swapaxes(1, 2)
    Image.fromarray(rows.reshape(-1, COLUMNS * SIDE, 3)).save(path, **JPEG)


def main() -> None:
    from evaluation.synthetic import draw, family  # torch is not needed for anything else here
    from training.faces import noise

    people = noise(seeds())
    drawn = draw(people)
    if len(drawn.kept) < PEOPLE:
        raise SystemExit(
            "no face in a held-out portrait: generator or detector are not those of held_out.json"
        )
    _save(_PORTRAITS, drawn.portraits)
    families = [
        family(people[number], NEIGHBOURS, DISTANCE, seeds()[number]) for number in range(WITH_NEIGHBOURS)
    ]
    _save(_NEIGHBOURS, np.concatenate(families))
    np.save(_EMBEDDINGS, embed(portraits()).astype(np.float32))


if __name__ == "__main__":
    main()
