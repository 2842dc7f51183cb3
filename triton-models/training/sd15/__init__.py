"""Trains Arc2Face itself, encoder and UNet at full architecture, from Stable Diffusion v1-5: docs/training-arc2face.md.

The way of the data: `prepare` puts pictures and their embeddings into shards, `shards` finds a sample in them, `rows`
makes training rows of samples, `objective` adds noise and says what is to be predicted, `denoiser` predicts it,
`weights` reads where it begins and writes what `export.arc2face` reads; `training` is the loop.
"""
