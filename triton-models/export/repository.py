"""Model repositories made of others."""

from pathlib import Path


def link(source: Path, folder: Path, but: str) -> None:
    """Links all models of a repository into the folder, but the one of this name."""
    folder.mkdir(parents=True)
    for model in source.iterdir():
        if (model / "config.pbtxt").is_file() and model.name != but:
            (folder / model.name).symlink_to(model.resolve())
