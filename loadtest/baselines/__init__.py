"""What the gateway is compared with, on the same models: the usual ways to serve a diffusion pipeline.

| | |
|---|---|
| `locked` | one Python process, one lock, a request at a time: the public Gradio demo |
| `pipeline` | the whole pipeline in one Triton model, whole requests batched: NVIDIA's Stable Diffusion tutorial |

Both run `portraits`, a plain implementation in numpy. It shares no code with the gateway; tests hold the pictures of
the two against each other.
"""
