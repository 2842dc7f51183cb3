"""Raw RGB crops [N,112,112,3] uint8 on stdin -> embeddings [N,256], little-endian float32, on stdout."""

import sys

import numpy as np

from evaluation.original_recogniser import embed

if __name__ == "__main__":
    faces = np.frombuffer(sys.stdin.buffer.read(), np.uint8).reshape(-1, 112, 112, 3)
    sys.stdout.buffer.write(embed(faces).astype("<f4").tobytes())
