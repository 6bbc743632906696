"""Picture files opened: which kind they are, their size and their way up, before anything is decoded."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

import PIL.Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.ExifTags import Base
from PIL.GifImagePlugin import GifImageFile
from PIL.Image import DecompressionBombError, DecompressionBombWarning, Transpose
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from engine.errors import InputError
from nodes.facts import MAX_PIXELS

MAX_BYTES = 512 * 2**20

# Opened by class: `PIL.Image.open` would try formats that run programs (EPS), and warn of
# large pictures before they can be refused here.
_READERS: tuple[tuple[bytes, int, type[ImageFile]], ...] = (
    (b"\x89PNG\r\n\x1a\n", 0, PngImageFile),
    (b"\xff\xd8\xff", 0, JpegImageFile),
    (b"WEBP", 8, WebPImageFile),
    (b"GIF8", 0, GifImageFile),
    (b"II*\0", 0, TiffImageFile),
    (b"MM\0*", 0, TiffImageFile),
    (b"BM", 0, BmpImageFile),
)
# What Pillow's readers raise for damaged files; warnings, where a run turns them into errors.
_FAULTS = (
    *(
        OSError,
        SyntaxError,
        ValueError,
        TypeError,
        AttributeError,
        LookupError,
        EOFError,
        ArithmeticError,
    ),
    *(RuntimeError, struct.error, zlib.error, Warning),
)
_BOMBS = (DecompressionBombError, DecompressionBombWarning)
_TURNS = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
_TURNED = {5, 6, 7, 8}
"""The orientations that swap width and height."""
_TELLING = {b"eXIf", b"iTXt", b"tEXt", b"zTXt"}
"""The chunks of a PNG that may say which way is up."""


class Measure(NamedTuple):
    """What a picture's header tells of the picture, upright. `format` is png, jpeg, webp, gif, tiff or bmp."""

    width: int
    height: int
    has_alpha: bool
    format: str


def begins_as_picture(start: bytes) -> bool:
    """Whether a file that starts with these 16 bytes is of a kind that is read."""
    return _reader(start) is not None


def _reader(start: bytes) -> type[ImageFile] | None:
    return next((kind for magic, at, kind in _READERS if start.startswith(magic, at)), None)


@contextmanager
def opened(file: IO[bytes], path: Path) -> Iterator[ImageFile]:
    """The picture in a file, for the block; its header is read. `path` is named in errors.

    Raises:
        InputError: The file is no picture or is too large, or it turns out in the block that it
            is damaged.
    """
    start = file.read(16)
    file.seek(0)
    reader = _reader(start)
    if reader is None:
        fault = "is empty" if not start else "is not a PNG, JPEG, WebP, GIF, TIFF or BMP picture"
        raise damaged(path, fault)
    try:
        with reader(file) as image:
            if image.width * image.height > MAX_PIXELS:
                raise too_large(path, f"has {image.width} x {image.height} pixels")
            yield image
    except InputError:
        raise
    except _BOMBS as error:
        raise too_large(path, "has too many pixels") from error
    except _FAULTS as error:
        raise damaged(path, f"is damaged ({error})") from error


def measure(path: Path) -> Measure:
    """The size of the picture that `pictures.read` would give. Decodes nothing but TIFF.

    Raises:
        InputError: The file is no picture, its header is damaged, or it is too large.
        OSError: The file cannot be read.
    """
    check_bytes(path)
    with path.open("rb") as file, opened(file, path) as image:
        # Pillow turns a TIFF while it decodes; a PNG may tell its way up behind the picture.
        if isinstance(image, TiffImageFile) or (
            isinstance(image, PngImageFile) and _tells_late(path)
        ):
            image.load()
        width, height = image.size
        if orientation(image) in _TURNED:
            width, height = height, width
        return Measure(width, height, has_alpha(image), (image.format or "").lower())


def check_bytes(path: Path) -> None:
    """Raise `InputError` if the file is too large to be read."""
    if path.stat().st_size > MAX_BYTES:
        raise too_large(path, f"is larger than {MAX_BYTES // 2**20} MiB")


def orientation(image: PIL.Image.Image) -> int | None:
    """How the camera was held, as EXIF counts it, if the picture tells."""
    try:
        # Not `image.getexif()`, which decodes a PNG to look behind it.
        found = PIL.Image.Image.getexif(image).get(Base.Orientation)
    except _FAULTS:  # an unreadable EXIF block says nothing of the pixels
        return None
    return found if isinstance(found, int) else None


def upright(image: PIL.Image.Image) -> PIL.Image.Image:
    """The decoded picture as it was seen through the camera."""
    turn = _TURNS.get(orientation(image) or 1)
    return image if turn is None else image.transpose(turn)


def has_alpha(image: PIL.Image.Image) -> bool:
    """Whether a picture tells its opacity. One of 16 bits of grey is read without."""
    return not image.mode.startswith("I") and image.has_transparency_data


def damaged(path: Path, fault: str) -> InputError:
    """The error for a file that is no picture, or a broken one."""
    message = f"{path.name} {fault}: save it again from its source, or choose another picture"
    return InputError(message, code="damaged_file", input="image")


def too_large(path: Path, fault: str) -> InputError:
    """The error for a picture that is too large to be read."""
    message = f"{path.name} {fault}; at most {MAX_PIXELS // 10**6} megapixels are read: make it smaller first"
    return InputError(message, code="too_large", input="image")


def _tells_late(path: Path) -> bool:
    """Whether a PNG has a chunk behind its pixels that may say which way is up."""
    behind = False
    with path.open("rb") as file:
        file.seek(8)
        while len(head := file.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            if behind and kind in _TELLING:
                return True
            behind = behind or kind == b"IDAT"
            file.seek(length + 4, 1)
    return False
