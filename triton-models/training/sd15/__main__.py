"""Trains Arc2Face's encoder and UNet at full architecture, from Stable Diffusion v1-5 (docs/training-arc2face.md).

`accelerate launch -m training.sd15 ...` runs it on every GPU of the machine. Run again, it goes on from its last
checkpoint. OUT ends as a folder that `python -m export.arc2face --source OUT` exports, and that can be the --source of
the next stage.
"""

import argparse
import os
import sys
from pathlib import Path

from export.arc2face.layout import MissingFilesError
from export.arc2face.preflight import UnfitError
from training.sd15 import recipe
from training.sd15.shards import ShardError
from training.sd15.training import LossError, train


def main() -> None:
    parser = argparse.ArgumentParser(
        "training.sd15", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipe", required=True, metavar="NAME|FILE", help="web, portraits, or a TOML file")
    parser.add_argument(
        "--source",
        type=Path,
        required=True,
        metavar="DIR",
        help="has stable-diffusion-v1-5/ and antelopev2/; and arc2face/ and encoder/ to go on from those",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="WebDataset shards (*.tar)")
    parser.add_argument("--out", type=Path, required=True, metavar="OUT")
    parser.add_argument("--rows", type=int, default=4, help="of a batch, on a GPU at a time (default: 4)")
    parser.add_argument("--until", type=int, metavar="STEP", help="stop there, to go on later")
    parser.add_argument("--save-every", type=int, default=1000, metavar="STEPS", help="default: 1000")
    parser.add_argument("--workers", type=int, default=4, help="that read pictures for a GPU (default: 4)")
    parser.add_argument(
        "--keep-activations",
        dest="recompute",
        action="store_false",
        help="no gradient checkpointing: faster, and more memory",
    )
    arguments = vars(parser.parse_args())
    try:
        train(recipe.load(arguments.pop("recipe")), **arguments)
    except (MissingFilesError, UnfitError, ShardError, LossError, ValueError) as error:
        # Every process finds the same fault; one tells it.
        sys.exit(f"error: {error}" if os.environ.get("RANK", "0") == "0" else 1)


if __name__ == "__main__":
    main()
