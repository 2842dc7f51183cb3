"""Fits the distribution that new identities are drawn from to embeddings of faces.

A random point of the sphere is no face: embeddings of faces fill a part of few dimensions, and the networks that draw
know nothing else. As Arc2Face does, that part is described by mean and principal components. The client
(`arc2face dataset`) draws from this normal distribution and brings the draw to unit length.

The file is an .npz: `recogniser_id` (text), `mean` [D], and `factors` [K,D], principal components as long as the
standard deviation along them, longest first; both FP32. The same embeddings give the same bytes.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from export.mobileface import RECOGNISER_ID
from training import RUNS

ROOT = Path(__file__).resolve().parents[2]
BUNDLED = ROOT / "gateway" / "src" / "main" / "resources" / "identity-priors"
COMPARED = 2000  # embeddings, and draws, whose cosines are compared


def fit(embeddings: np.ndarray, components: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Unit embeddings [N,D] -> mean [D] and factors [K,D], K at most N - 1."""
    mean = embeddings.mean(axis=0, dtype=np.float64)
    centred = embeddings - mean
    variances, axes = np.linalg.eigh(centred.T @ centred / (len(embeddings) - 1))  # rising, columns
    most = min(len(mean), len(embeddings) - 1)
    longest = np.argsort(variances)[::-1][: min(components or most, most)]
    factors = (axes[:, longest] * np.sqrt(variances[longest].clip(min=0))).T
    # An axis has no direction of its own: its largest value is made positive, so that every run gives the same.
    largest = np.abs(factors).argmax(axis=1)
    factors *= np.where(factors[np.arange(len(factors)), largest] < 0, -1, 1)[:, None]
    return mean.astype(np.float32), factors.astype(np.float32)


def draw(mean: np.ndarray, factors: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Unit embeddings [count,D] as the client draws them, with other noise."""
    noise = np.random.default_rng(seed).standard_normal((count, len(factors)))
    return unit(mean + noise @ factors)


def unit(values: np.ndarray) -> np.ndarray:
    wide = values.astype(np.float64)
    return wide / np.linalg.norm(wide, axis=1, keepdims=True)


def cosines(embeddings: np.ndarray, seed: int) -> dict[str, float]:
    """How near some of the unit embeddings [N,D] are to each other."""
    some = np.random.default_rng(seed).choice(len(embeddings), min(COMPARED, len(embeddings)), replace=False)
    pairs = (embeddings[some] @ embeddings[some].T)[np.triu_indices(len(some), 1)]
    shares = dict(zip(("5%", "50%", "95%", "99%"), np.percentile(pairs, (5, 50, 95, 99)), strict=True))
    return {name: round(float(value), 3) for name, value in {"mean": pairs.mean(), **shares}.items()}


def load(runs: Path) -> np.ndarray:
    """The unit embeddings [2N,D] of latents.npz: those of the pictures themselves, not the disturbed ones."""
    with np.load(runs / "latents.npz") as latents:
        return unit(latents["embeddings"][:, 0])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=Path, default=RUNS, help="where latents.npz lies")
    parser.add_argument("--embeddings", type=Path, help="an .npy of [N,D] instead")
    parser.add_argument("--recogniser-id", default=RECOGNISER_ID, help="whose embeddings they are")
    parser.add_argument("--components", type=int, help="keep this many of the principal components")
    parser.add_argument(
        "--seed", type=int, default=0, help="of the draws that are compared with the embeddings"
    )
    parser.add_argument("--out", type=Path, help="default: the client's own, by the recogniser's id")
    parser.add_argument(
        "--keep-embeddings", type=Path, help="also write them as .npy, for `dataset --training`"
    )
    arguments = parser.parse_args()
    embeddings = load(arguments.runs) if arguments.embeddings is None else unit(np.load(arguments.embeddings))
    mean, factors = fit(embeddings, arguments.components)
    out = arguments.out or BUNDLED / f"{arguments.recogniser_id}.npz"
    out.parent.mkdir(parents=True, exist_ok=True)
    np.savez(out, recogniser_id=arguments.recogniser_id, mean=mean, factors=factors)
    if arguments.keep_embeddings is not None:
        np.save(arguments.keep_embeddings, embeddings.astype(np.float16))
    drawn = draw(mean, factors, COMPARED, arguments.seed)
    report = {
        "embeddings": len(embeddings),
        "components": len(factors),
        "variance kept": round(float((factors**2).sum() / embeddings.var(axis=0, ddof=1).sum()), 4),
        "cosines of embeddings": cosines(embeddings, arguments.seed),
        "cosines of draws": cosines(drawn, arguments.seed),
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
