"""Makes up weights, exports and serves them, and holds everything against the official recipe.

Exit code 1 where something is further from the reference than promised. What is made and measured stays in WORK.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from evaluation.parity import probe, report
from evaluation.parity.cases import SETS
from export.arc2face import random_weights
from export.arc2face.layout import Layout

ROOT = Path(__file__).resolve().parents[3]
LEAST_PSNR = {"fp32": 60.0, "fp16": 35.0}  # dB of a picture


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m evaluation.parity", description=__doc__)
    parser.add_argument("size", choices=SETS)
    parser.add_argument("work", type=Path, metavar="WORK", help="a folder, kept for the next run")
    parser.add_argument("--serve-python", type=Path, required=True, help="the interpreter that has Triton")
    parser.add_argument("--jar", type=Path, required=True, help="the gateway's quarkus-run.jar")
    parser.add_argument("--photo", type=Path, default=ROOT / "samples" / "collins.png")
    parser.add_argument("--report", type=Path, help="a Markdown page to write")
    arguments = parser.parse_args()
    size, work = arguments.size, arguments.work.resolve()

    published, reference = work / "published", work / "reference"
    lora = published / "lcm-lora-sdv1-5" / "pytorch_lora_weights.safetensors"
    if not lora.is_file():  # it is written last
        random_weights.write_lcm_lora(lora, random_weights.write(published, size))
    weights = ["--source", Layout.find(published).root, "--lcm-lora", lora]
    seen = ["--photo", arguments.photo.resolve(), "--cases", size]
    run(sys.executable, "-m", "evaluation.parity.reference", *weights, *seen, "--out", reference)

    def compare(repository: Path, *options: object) -> int:
        return run(
            *(arguments.serve_python.absolute(), "-m", "serving.stack", "--jar", arguments.jar.resolve()),
            *("--repository", repository, "--", sys.executable, "-m", "evaluation.parity.compare"),
            *("--target", "{target}", "--reference", reference, *seen, *options),
            check=False,
        )

    failures = 0
    for precision, least in LEAST_PSNR.items():
        repository = work / precision
        run(sys.executable, "-m", "export.arc2face", *weights, "--precision", precision, "--out", repository)
        failures += compare(repository, "--least-psnr", least, "--json", work / f"{precision}-pictures.json")
    probe.write(work / "fp32", work / "probe")
    failures += compare(work / "probe", "--latents", "--json", work / "latents.json")
    if arguments.report is not None:
        arguments.report.write_text(report.page(work), encoding="utf-8")
    return min(failures, 1)


def run(*command: object, check: bool = True) -> int:
    """Runs a program of this project; with `check` its failure is ours."""
    return subprocess.run([str(word) for word in command], cwd=ROOT / "triton-models", check=check).returncode


if __name__ == "__main__":
    sys.exit(main())
