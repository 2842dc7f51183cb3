"""Runs NVIDIA Triton from its PyPI package, without a container, and the whole server around it.

- `python -m serving` starts Triton with one of our model repositories;
- `python -m serving.stack` starts Triton and the gateway, and stops both when its command is done.

Standard library only: Triton, ONNX Runtime and numpy are used by Triton's own processes.
"""
