"""Writes the embedding that a gateway reads from a photo, as a JSON list: what both sides then draw.

The reference does not read the photo by itself: where the gateway's bilinear scaling rounds a pixel otherwise than
OpenCV's, random networks answer with another identity. The face stage has tests of its own against insightface.
"""

import argparse
import json
from pathlib import Path

from evaluation.api import Gateway, message

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m evaluation.parity.embed", description=__doc__)
    parser.add_argument("--target", required=True, help="the gateway, host:port")
    parser.add_argument("--photo", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    source = message("IdentitySource", photo=arguments.photo.read_bytes())
    with Gateway(arguments.target) as gateway:
        answer = gateway.unary("EmbedFace", message("EmbedFaceRequest", identity=source))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(list(answer.embedding.values)) + "\n")
