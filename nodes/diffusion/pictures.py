"""Picture files: their bytes as tensors, and back."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import PIL.Image
import torch
from torch import Tensor

from engine.errors import InputError
from nodes.provenance import save_options

from .readers import begins_as_picture, check_bytes, damaged, has_alpha, opened, upright

FormatName = Literal["PNG", "JPEG", "WEBP"]
MAX_SIDE: Mapping[FormatName, int] = {"PNG": 2**31 - 1, "JPEG": 65_500, "WEBP": 16_383}


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
    check_bytes(path)
    return decode(path.read_bytes(), path)


def decode(data: bytes, path: Path) -> Picture:
    """The picture in the bytes of the file `path`, which is named in errors. See `read`."""
    with opened(io.BytesIO(data), path) as image:
        image.load()
        if image.mode == "F" or (image.mode == "I" and np.asarray(image).max() > 65535):
            raise damaged(path, "has pixels of 32 bits, whose range is not known")
        return _to_tensors(upright(image))


def is_picture(path: Path) -> bool:
    """Whether a file begins as those do that `read` reads.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        return begins_as_picture(file.read(16))


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


def _to_tensors(image: PIL.Image.Image) -> Picture:
    if image.mode.startswith("I"):  # 16 bits of grey; Pillow would cut them off in a conversion
        grey = np.asarray(image).astype(np.float32) / 65535
        return Picture(torch.from_numpy(grey).clamp(0, 1).expand(1, 3, -1, -1).contiguous(), None)
    if not has_alpha(image):
        return Picture(_to_tensor(image.convert("RGB")), None)
    pixels = _to_tensor(image.convert("RGBA"))
    return Picture(pixels[:, :3].contiguous(), pixels[:, 3:].contiguous())


def _to_tensor(image: PIL.Image.Image) -> Tensor:
    levels = torch.from_numpy(np.array(image))
    return levels.permute(2, 0, 1).unsqueeze(0).contiguous().float().div_(255)
