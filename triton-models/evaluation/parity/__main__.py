"""Makes up weights, exports and serves them, and holds everything against the official recipe.

Exit code 1 where something is further from the reference than promised. What is made and measured stays in WORK.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from evaluation.parity import probe, report
from evaluation.parity.cases import SETS

ROOT = Path(__file__).resolve().parents[3]
LEAST_PSNR = {"fp32": 60.0, "fp16": 35.0}  # dB of a picture


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m evaluation.parity", description=__doc__)
    parser.add_argument("size", choices=SETS)
    parser.add_argument("work", type=Path, metavar="WORK", help="a folder, kept for the next run")
    parser.add_argument("--serve-python", type=Path, required=True, help="the interpreter that has Triton")
    parser.add_argument("--jar", type=Path, required=True, help="the gateway's quarkus-run.jar")
    parser.add_argument("--photo", type=Path, default=ROOT / "samples" / "collins.png")
    parser.add_argument(
        "--precisions",
        nargs="+",
        choices=LEAST_PSNR,
        default=list(LEAST_PSNR),
        help="default: all; fp32 must be there",
    )
    parser.add_argument("--report", type=Path, help="a Markdown page to write")
    arguments = parser.parse_args()
    size, work = arguments.size, arguments.work.resolve()

    published, reference, embedding = work / "published", work / "reference", work / "embedding.json"
    lora = published / "lcm-lora-sdv1-5" / "pytorch_lora_weights.safetensors"
    if not lora.is_file():  # it is written last
        run(sys.executable, "-m", "export.arc2face.random_weights", published, size, "--lcm-lora", lora)
    weights = ["--source", published, "--lcm-lora", lora]
    for precision in arguments.precisions:
        run(
            sys.executable,
            "-m",
            "export.arc2face",
            *weights,
            "--precision",
            precision,
            "--out",
            work / precision,
        )
    probe.write(work / "fp32", work / "probe")

    def serve(repository: Path, module: str, *options: object, check: bool = True) -> int:
        """Runs a module beside servers of its own; {target} stands for the gateway."""
        stack = (arguments.serve_python.absolute(), "-m", "serving.stack", "--jar", arguments.jar.resolve())
        client = (sys.executable, "-m", module, "--target", "{target}", "--photo", arguments.photo.resolve())
        return run(*stack, "--repository", repository, "--", *client, *options, check=check)

    serve(work / "fp32", "evaluation.parity.embed", "--out", embedding)
    drawn = ("--cases", size, "--reference", reference)
    run(
        *(sys.executable, "-m", "evaluation.parity.reference", *weights),
        *("--embedding", embedding, "--cases", size, "--out", reference),
    )
    failures = 0
    for precision in arguments.precisions:
        options = (
            *drawn,
            "--least-psnr",
            LEAST_PSNR[precision],
            "--json",
            work / f"{precision}-pictures.json",
        )
        failures += serve(work / precision, "evaluation.parity.compare", *options, check=False)
    options = (*drawn, "--latents", "--json", work / "latents.json")
    failures += serve(work / "probe", "evaluation.parity.compare", *options, check=False)
    if arguments.report is not None:
        arguments.report.write_text(report.page(work, arguments.precisions), encoding="utf-8")
    return min(failures, 1)


def run(*command: object, check: bool = True) -> int:
    """Runs a program of this project; with `check` its failure is ours."""
    return subprocess.run([str(word) for word in command], cwd=ROOT / "triton-models", check=check).returncode


if __name__ == "__main__":
    sys.exit(main())
