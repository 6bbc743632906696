"""Pictures as CLIP's image encoders read them, and arithmetic with what they make of them."""

from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from engine.errors import InputError
from nodes.values import Spread

from .headers import read_header
from .parts import numbers, stored
from .pipelines import NORMALIZER

_MEAN = (0.48145466, 0.4578275, 0.40821073)
_DEVIATION = (0.26862954, 0.26130258, 0.27577711)


def prepared(pixels: Tensor, size: int, crop: Literal["center", "none"]) -> Tensor:
    """Pictures (B, 3, H, W) in 0-1 as an encoder was trained on them, (B, 3, size, size).

    Made smaller as Pillow does it, rounded to the 256 values of a picture file, and normalised.
    """
    height, width = pixels.shape[-2:]
    extent = (size, size)
    if crop == "center":
        scale = size / min(height, width)
        extent = max(size, int(height * scale)), max(size, int(width * scale))
    pixels = rounded(pixels, extent)
    top, left = (extent[0] - size) // 2, (extent[1] - size) // 2
    pixels = pixels[..., top : top + size, left : left + size]
    mean, deviation = (torch.tensor(each)[:, None, None] for each in (_MEAN, _DEVIATION))
    return (pixels - mean) / deviation


def rounded(pixels: Tensor, extent: tuple[int, int]) -> Tensor:
    """Pictures of another height and width, as Pillow makes them, with the 256 values of a picture file."""
    if extent != tuple(pixels.shape[-2:]):
        pixels = functional.interpolate(
            pixels, size=extent, mode="bicubic", antialias=True, align_corners=False
        )
    return (pixels.clamp(0, 1) * 255).round() / 255


def spread(path: Path) -> Spread | None:
    """The statistics of embeddings, if a diffusers folder tells them.

    Raises:
        InputError: They are told by halves.
    """
    file = path / NORMALIZER
    if not file.is_file():
        return None
    told = stored(read_header(file))
    if not {"mean", "std"} <= told.keys():
        raise InputError(f"{file} lacks mean or std: download it again", code="damaged_file")
    mean, deviation = (torch.tensor([numbers(told[name])]) for name in ("mean", "std"))
    return mean, deviation


def between(first: Tensor, second: Tensor, amount: float) -> Tensor:
    """What lies between embeddings of one width, along the arc from one to the other (Shoemake 1985)."""
    cosine = functional.cosine_similarity(first, second, dim=-1).clamp(-1, 1)[..., None]
    angle = torch.acos(cosine)
    sine = angle.sin()
    arc = (((1 - amount) * angle).sin() * first + (amount * angle).sin() * second) / sine
    # Embeddings that point the same way, or away from each other, have no arc of their own.
    return torch.where(sine < 1e-4, torch.lerp(first, second, amount), arc)
