"""A picture's id by docs/provenance.md: pixels' hash, width, height, format, quality, profile, variant, networks."""

import hashlib
import struct
import sys

pixels, width, height, encoding, quality, profile, variant, *networks = sys.argv[1:]


def text(value: str) -> bytes:
    return struct.pack(">I", len(value.encode())) + value.encode()


def number(value: str | int) -> bytes:
    return struct.pack(">I", int(value))


parts = [
    text("arc2face picture 1"),
    text(pixels),
    number(width),
    number(height),
    text(encoding),
    number(quality),
]
parts += [text(profile), text(variant), number(len(networks) // 3)]
parts += [text(value) for value in networks]
print(hashlib.sha256(b"".join(parts)).hexdigest())
