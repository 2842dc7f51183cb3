"""Writes a model repository with the whole pipeline as its only model, on the networks of SOURCE."""

import argparse
from pathlib import Path

from loadtest.baselines import pipeline
from serving import layout

parser = argparse.ArgumentParser(prog="python -m loadtest.baselines.pipeline", description=__doc__)
parser.add_argument("source", help="a model repository: path or name")
parser.add_argument("out", type=Path)
arguments = parser.parse_args()
print(pipeline.write(layout.find_repository(arguments.source), arguments.out))
