"""Picture files: their bytes as tensors, and back."""

import io
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import PIL.Image
import torch
from PIL.BmpImagePlugin import BmpImageFile
from PIL.ExifTags import Base
from PIL.GifImagePlugin import GifImageFile
from PIL.Image import DecompressionBombError, DecompressionBombWarning, Transpose
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile
from torch import Tensor

from engine.errors import InputError
from nodes.provenance import save_options

from .pixels import MAX_PIXELS

FormatName = Literal["PNG", "JPEG", "WEBP"]
MAX_BYTES = 512 * 2**20
MAX_SIDE: Mapping[FormatName, int] = {"PNG": 2**31 - 1, "JPEG": 65_500, "WEBP": 16_383}

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


class Picture(NamedTuple):
    """A picture, (1, 3, H, W), and its opacity, (1, 1, H, W), where the file has one."""

    pixels: Tensor
    alpha: Tensor | None


def read(path: Path) -> Picture:
    """Read a PNG, JPEG, WebP, GIF, TIFF or BMP file: upright, and the first of several frames.

    Raises:
        InputError: The file is no picture, is damaged, or is too large (found in its header,
            before anything is decoded).
        OSError: The file cannot be read.
    """
    if path.stat().st_size > MAX_BYTES:
        raise _too_large(path, f"is larger than {MAX_BYTES // 2**20} MiB")
    return decode(path.read_bytes(), path)


def decode(data: bytes, path: Path) -> Picture:
    """The picture in the bytes of the file `path`, which is named in errors. See `read`."""
    reader = _reader(data)
    if reader is None:
        fault = "is empty" if not data else "is not a PNG, JPEG, WebP, GIF, TIFF or BMP picture"
        raise _damaged(path, fault)
    try:
        with reader(io.BytesIO(data)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise _too_large(path, f"has {image.width} x {image.height} pixels")
            image.load()
            if image.mode == "F" or (image.mode == "I" and np.asarray(image).max() > 65535):
                raise _damaged(path, "has pixels of 32 bits, whose range is not known")
            return _to_tensors(_upright(image))
    except InputError:
        raise
    except _BOMBS as error:
        raise _too_large(path, "has too many pixels") from error
    except _FAULTS as error:
        raise _damaged(path, f"is damaged ({error})") from error


def is_picture(path: Path) -> bool:
    """Whether a file begins as those do that `read` reads.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        return _reader(file.read(16)) is not None


def encode(
    picture: Tensor,
    format_name: FormatName,
    provenance: Mapping[str, Any],
    options: Mapping[str, Any],
) -> bytes:
    """A picture, (3, H, W), as a file with its provenance; `options` go to Pillow.

    Raises:
        InputError: It holds values that are not numbers, or is larger than the format allows.
    """
    height, width = picture.shape[-2:]
    if max(width, height) > MAX_SIDE[format_name]:
        raise InputError(
            f"the picture is {width} x {height}, {format_name} holds {MAX_SIDE[format_name]} pixels a side: "
            "save it as PNG",
            code="too_large",
            input="to",
        )
    if not torch.isfinite(picture).all():
        raise InputError(
            "the picture holds values that are not numbers (NaN): the model overflowed; "
            "run its VAE in float32 or lower the guidance",
            code="not_finite",
            input="image",
        )
    levels = (picture.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0)
    buffer = io.BytesIO()
    PIL.Image.fromarray(levels.contiguous().numpy()).save(
        buffer, format_name, **options, **save_options(format_name, provenance)
    )
    return buffer.getvalue()


def _reader(data: bytes) -> type[ImageFile] | None:
    return next((kind for magic, at, kind in _READERS if data.startswith(magic, at)), None)


def _upright(image: PIL.Image.Image) -> PIL.Image.Image:
    try:
        orientation = image.getexif().get(Base.Orientation)
    except _FAULTS:  # an unreadable EXIF block says nothing of the pixels
        return image
    turn = _TURNS.get(orientation) if isinstance(orientation, int) else None
    return image if turn is None else image.transpose(turn)


def _to_tensors(image: PIL.Image.Image) -> Picture:
    if image.mode.startswith("I"):  # 16 bits of grey; Pillow would cut them off in a conversion
        grey = np.asarray(image).astype(np.float32) / 65535
        return Picture(torch.from_numpy(grey).clamp(0, 1).expand(1, 3, -1, -1).contiguous(), None)
    if not image.has_transparency_data:
        return Picture(_to_tensor(image.convert("RGB")), None)
    pixels = _to_tensor(image.convert("RGBA"))
    return Picture(pixels[:, :3].contiguous(), pixels[:, 3:].contiguous())


def _to_tensor(image: PIL.Image.Image) -> Tensor:
    levels = torch.from_numpy(np.array(image))
    return levels.permute(2, 0, 1).unsqueeze(0).contiguous().float().div_(255)


def _damaged(path: Path, fault: str) -> InputError:
    message = f"{path.name} {fault}: save it again from its source, or choose another picture"
    return InputError(message, code="damaged_file", input="image")


def _too_large(path: Path, fault: str) -> InputError:
    message = f"{path.name} {fault}; at most {MAX_PIXELS // 10**6} megapixels are read: make it smaller first"
    return InputError(message, code="too_large", input="image")
