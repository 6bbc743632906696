"""Pictures made small, to be looked at."""

import io
from pathlib import Path

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL.Image import Resampling

from engine.errors import InputError

from .readers import check_bytes, damaged, has_alpha, opened, upright

SMALLEST, LARGEST = 256, 512
"""The longest side of a preview."""
MAX_THUMBNAIL = 2048
QUALITY = 85


def preview(shades: NDArray[np.uint8]) -> bytes:
    """A preview of `previews.rgb`, (h, w, 3), as a JPEG that is neither tiny nor large."""
    image = PIL.Image.fromarray(shades)
    longest = max(image.size)
    return _jpeg(_sized(image, min(max(longest, SMALLEST), LARGEST)))


def thumbnail(path: Path, size: int) -> bytes:
    """A picture file, upright, as a JPEG with a longest side of at most `size`; as a PNG if it is transparent.

    Raises:
        InputError: The file is no picture or is too large, or the size is none.
        OSError: The file cannot be read.
    """
    if not 1 <= size <= MAX_THUMBNAIL:
        raise InputError(
            f"a thumbnail of {size} pixels: give a size from 1 to {MAX_THUMBNAIL}",
            code="out_of_range",
            input="size",
        )
    check_bytes(path)
    with path.open("rb") as file, opened(file, path) as image:
        image.draft("RGB", (size, size))  # a JPEG is decoded small: ten times quicker
        image.load()
        whole = plain(upright(image), path)
    made = _sized(whole, min(size, max(whole.size)))
    if made.mode != "RGBA":
        return _jpeg(made)
    buffer = io.BytesIO()
    made.save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()


def plain(image: PIL.Image.Image, path: Path) -> PIL.Image.Image:
    """The picture in 8 bits a channel."""
    if image.mode == "F" or (image.mode == "I" and np.asarray(image).max() > 65535):
        raise damaged(path, "has pixels of 32 bits, whose range is not known")
    if image.mode.startswith("I"):
        return PIL.Image.fromarray((np.asarray(image) // 257).astype(np.uint8)).convert("RGB")
    return image.convert("RGBA" if has_alpha(image) else "RGB")


def _sized(image: PIL.Image.Image, longest: int) -> PIL.Image.Image:
    """The picture with that longest side."""
    scale = longest / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    return image if scale == 1 else image.resize((width, height), Resampling.BICUBIC)


def _jpeg(image: PIL.Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()
