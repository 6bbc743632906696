"""Colours and transparency of picture files, taken apart and put together."""

import io
from pathlib import Path

import PIL.Image

from engine.errors import InputError

from .readers import check_bytes, opened, upright
from .thumbnails import plain


def merged(colours: Path | None, alpha: Path | None) -> bytes:
    """A PNG with the colours of one picture and the alpha channel of another.

    Args:
        colours: A picture file; None for black.
        alpha: A picture file, which counts as opaque where it has no alpha; None for no alpha.

    Raises:
        InputError: A file is no picture or is too large, or their sizes differ.
        OSError: A file cannot be read.
    """
    picture = None if colours is None else _read(colours).convert("RGB")
    if alpha is not None:
        channel = _read(alpha).convert("RGBA").getchannel("A")
        if picture is None:
            picture = PIL.Image.new("RGB", channel.size)
        if picture.size != channel.size:
            raise InputError(
                f"the picture is {_size(picture)} and its mask {_size(channel)}: give them one size",
                code="wrong_size",
            )
        picture.putalpha(channel)
    if picture is None:
        raise InputError("there is no picture: give one for colours, alpha or both")
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()


def _read(path: Path) -> PIL.Image.Image:
    check_bytes(path)
    with path.open("rb") as file, opened(file, path) as image:
        image.load()
        return plain(upright(image), path)


def _size(image: PIL.Image.Image) -> str:
    return f"{image.width}x{image.height}"
