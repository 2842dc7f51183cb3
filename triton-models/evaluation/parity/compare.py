"""Asks a gateway for every case that the reference has drawn, and compares.

Exit code 1 where a picture (or, with --latents, the latents behind it) is further from the reference than allowed.
"""

import argparse
import io
import json
import math
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from evaluation.api import Gateway, message
from evaluation.parity import probe
from evaluation.parity.cases import SEED, SETS, Case
from evaluation.parity.psnr import psnr

CALLERS = 4  # at once, so that steps of different cases share batches


def main() -> int:
    arguments = parse()
    cases = SETS[arguments.cases]
    photo = message("IdentitySource", photo=arguments.photo.read_bytes())
    with Gateway(arguments.target) as gateway, ThreadPoolExecutor(CALLERS) as pool:
        rows = list(pool.map(lambda case: compare(gateway, photo, case, arguments), cases))
    print(f"{'case':44}{'PSNR':>8}{'latents':>10}{'seconds':>9}")
    for row in rows:
        print(
            f"{row['case']:44}{number(row['psnr'], 1):>8}{number(row['latents'], 6):>10}{row['seconds']:>9.1f}"
        )
    if arguments.json is not None:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")
    failed = [
        row["case"]
        for row in rows
        if (
            row["latents"] > arguments.most_apart if arguments.latents else row["psnr"] < arguments.least_psnr
        )
    ]
    for case in failed:
        print(f"FAILED: {case} is too far from the reference", file=sys.stderr)
    return 1 if failed else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m evaluation.parity.compare", description=__doc__)
    parser.add_argument("--target", required=True, help="the gateway, host:port")
    parser.add_argument(
        "--reference", type=Path, required=True, help="the folder that the reference has written"
    )
    parser.add_argument("--photo", type=Path, required=True)
    parser.add_argument("--cases", choices=SETS, required=True)
    parser.add_argument("--latents", action="store_true", help="the gateway's decoder is the probe")
    parser.add_argument("--least-psnr", type=float, default=60.0, help="of a picture, in dB")
    parser.add_argument("--most-apart", type=float, default=1e-3, help="of latents, max|a-b| / max|b|")
    parser.add_argument("--json", type=Path, help="where to write the report")
    return parser.parse_args()


def compare(gateway: Gateway, photo: Any, case: Case, arguments: argparse.Namespace) -> dict[str, Any]:
    """A row of the report; `psnr` is that of the worst picture of the case."""
    expected = np.load(arguments.reference / f"{case.name}.npz")
    start = time.monotonic()
    pictures = draw(gateway, photo, case)
    row = {"case": case.name, "seconds": time.monotonic() - start, "psnr": None, "latents": None}
    if arguments.latents:
        theirs = expected["latents"]
        ours = probe.read(pictures, theirs.shape[1:])
        row["latents"] = float(np.abs(ours - theirs).max() / np.abs(theirs).max())
    else:
        row["psnr"] = min(psnr(*pair) for pair in zip(pictures, expected["pictures"], strict=True))
    return row


def draw(gateway: Gateway, photo: Any, case: Case) -> np.ndarray:
    """Pictures [N,H,W,3] uint8."""
    request = message(
        "GenerateRequest",
        identity=photo,
        num_images=case.images,
        steps=case.steps,
        guidance_scale=case.guidance,
        guidance_until=case.guidance_until,
        scheduler=case.scheduler,
        variant=case.variant,
        seed=SEED,
        output_format="IMAGE_FORMAT_PNG",
    )
    images = [event.image for event in gateway.generate(request) if event.HasField("image")]
    return np.stack([np.asarray(Image.open(io.BytesIO(image.data)).convert("RGB")) for image in images])


def number(value: float | None, digits: int) -> str:
    return "-" if value is None else "equal" if math.isinf(value) else f"{value:.{digits}f}"


if __name__ == "__main__":
    sys.exit(main())
