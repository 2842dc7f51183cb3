"""Pictures of a caller's as the bytes that the server reads."""

import io
import os
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeAlias, runtime_checkable

from PIL import Image, ImageOps


@runtime_checkable
class PixelArray(Protocol):
    """Pixels as numpy and its like have them: uint8, [H,W,3] RGB, [H,W,4] RGBA or [H,W] grey."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> Any: ...
    @property
    def __array_interface__(self) -> dict[str, Any]: ...


#: A picture: the path of a file, encoded bytes, an open file, a PIL picture, or an array of pixels.
PhotoLike: TypeAlias = (
    str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Image.Image | PixelArray
)


def encoded(photo: PhotoLike) -> bytes:
    """The picture as JPEG, PNG or WebP. Files and bytes go as they are, pixels as PNG, without loss.

    A PIL picture is turned upright first, as its EXIF orientation says.
    """
    if isinstance(photo, (str, os.PathLike)):
        return Path(photo).read_bytes()
    if isinstance(photo, (bytes, bytearray, memoryview)):
        return bytes(photo)
    if isinstance(photo, (Image.Image, PixelArray)):
        return _png(picture(photo))
    if not hasattr(photo, "read"):
        raise TypeError(f"a {type(photo).__name__} is no photo")
    content = photo.read()
    if not isinstance(content, bytes):
        raise TypeError("a photo's file is opened in binary mode: open(path, 'rb')")
    return content


def picture(photo: PhotoLike) -> Image.Image:
    """The picture as PIL has it, upright."""
    if isinstance(photo, Image.Image):
        image = photo
    elif isinstance(photo, PixelArray):
        image = _of_array(photo)
    else:
        image = Image.open(io.BytesIO(encoded(photo)))
    return ImageOps.exif_transpose(image)


def _of_array(array: PixelArray) -> Image.Image:
    channels = array.shape[2:]
    if str(array.dtype) != "uint8" or len(array.shape) not in (2, 3) or channels not in ((), (3,), (4,)):
        raise ValueError(f"pixels are uint8 [H,W,3], [H,W,4] or [H,W], not {array.dtype} {list(array.shape)}")
    return Image.fromarray(array)


def _png(image: Image.Image) -> bytes:
    if image.mode not in ("L", "RGB", "RGBA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()
