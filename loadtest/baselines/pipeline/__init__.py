"""Baseline: the whole pipeline in one Triton model, whose batcher joins whole requests.

It is what NVIDIA's Stable Diffusion tutorial does (triton-inference-server/tutorials, Popular_Models_Guide/
StableDiffusion, backend/diffusion/model.py), with what that leaves out for the comparison's sake:

- the tutorial has the steps in the model's configuration, the same for everybody. Here each request brings its own,
  and a batch with several of them runs as groups of equal steps, one after the other;
- the tutorial fills a batch up with empty prompts to one static size. Here a batch has the rows that were asked for;
- the tutorial answers when its batch is finished. Here a group is answered as soon as it is, and the PNGs are made by
  other threads while the next batch already runs.
"""

from loadtest.baselines.pipeline.repository import NAME, write

__all__ = ["NAME", "write"]
