"""Draws one photo with the published weights on both sides, and says whether the served pictures are the reference's.

Side by side: identity similarity, by insightface on the pictures, and seconds for all of them; then PSNR. Exit code 1
where they differ too much.
"""

import argparse
import io
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from evaluation.api import Gateway, message
from evaluation.parity.cases import Case
from evaluation.parity.compare import draw
from evaluation.parity.face_stage import FaceStage
from evaluation.parity.psnr import psnr
from evaluation.parity.reference import Reference
from export.arc2face.layout import Layout

SIDE = 640  # of the detector's square
MOST_APART = 0.02  # mean identity similarities


def main() -> int:
    arguments = parse()
    case = Case("dpmpp_2m", arguments.steps, arguments.images, arguments.guidance)
    photo = arguments.photo.read_bytes()
    layout = Layout.find(arguments.source)
    faces = FaceStage(layout)
    embedding = faces.embed(photo, SIDE)
    if embedding is None:
        raise SystemExit(f"no face in {arguments.photo}")
    reference = Reference(
        layout,
        None,
        torch.float16 if arguments.fp16 else torch.float32,
        arguments.device,
    )
    theirs, their_seconds = timed(lambda: reference.draw(case, embedding).pictures)
    source = message("IdentitySource", photo=photo)
    with Gateway(arguments.target) as gateway:
        ours, our_seconds = timed(lambda: draw(gateway, source, case))

    def similarity(pictures: np.ndarray) -> float:
        seen = [faces.embed(png(picture), SIDE) for picture in pictures]
        return float(np.mean([0.0 if face is None else face @ embedding for face in seen]))

    decibels = [psnr(*pair) for pair in zip(ours, theirs, strict=True)]
    similarities = similarity(theirs), similarity(ours)
    print(f"{'':24}{'reference':>10}{'served':>10}")
    print(f"{'identity similarity':24}{similarities[0]:>10.4f}{similarities[1]:>10.4f}")
    print(f"{'seconds':24}{their_seconds:>10.1f}{our_seconds:>10.1f}")
    print("PSNR of each picture: " + ", ".join(f"{value:.1f} dB" for value in decibels))
    passed = min(decibels) >= arguments.least_psnr and abs(similarities[0] - similarities[1]) <= MOST_APART
    print(
        "PASSED"
        if passed
        else f"FAILED: promised are {arguments.least_psnr} dB and similarities within {MOST_APART}"
    )
    return 0 if passed else 1


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m evaluation.parity.verify", description=__doc__)
    parser.add_argument("--source", type=Path, required=True, help="the published layout")
    parser.add_argument("--target", required=True, help="a gateway that serves its export, host:port")
    parser.add_argument("--photo", type=Path, required=True)
    parser.add_argument("--images", type=int, default=2)
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--guidance", type=float, default=3.0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--fp16", action="store_true", help="run the reference in FP16 too")
    parser.add_argument(
        "--least-psnr",
        type=float,
        default=35.0,
        help="of a picture; 60 for an FP32 export (default: %(default)s)",
    )
    return parser.parse_args()


def timed(work: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    """What the work gives, and its seconds."""
    start = time.monotonic()
    result = work()
    return result, time.monotonic() - start


def png(picture: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    return stream.getvalue()


if __name__ == "__main__":
    sys.exit(main())
