"""Trains the mini profile's networks, stage by stage (README.md); the stages find each other's files in one folder."""

from pathlib import Path

RUNS = Path("training/runs")  # the stages' default
