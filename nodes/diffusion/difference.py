"""How far a picture is from another: figures of two tensors, or of two files."""

import filecmp
import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from engine.difference import Difference

from . import pictures

_BAND = 2**22
"""How many values are compared at once, so that memory does not grow with the picture."""
_WHITE = 65535
"""White on the scale that holds the levels of both 8 bits (by 257) and 16 bits as whole numbers."""


@dataclass(frozen=True)
class Figures:
    """`largest` and `mean` are absolute differences of channels, in the unit of the tensors.

    `share` is that of the pixels in which any channel differs; `psnr`, in decibels, is None if
    nothing differs.
    """

    share: float
    largest: float
    mean: float
    psnr: float | None


def measure(first: Tensor, second: Tensor, white: float) -> Figures:
    """The figures of two pictures of one shape, (B, C, H, W), on a scale from 0 to `white`."""
    channels, height, width = first.shape[1:]
    rows = max(1, _BAND // (channels * width))
    differing, largest, total, squares = 0, 0.0, 0.0, 0.0
    for one, other in zip(first, second, strict=True):
        for top in range(0, height, rows):
            part = (slice(None), slice(top, top + rows))
            gap = (one[part].double() - other[part].double()).abs()
            differing += int((gap > 0).any(dim=0).sum())
            largest = max(largest, float(gap.max()))
            total += float(gap.sum())
            squares += float(gap.square().sum())
    count = first.numel()
    psnr = 10 * math.log10(white**2 * count / squares) if squares else None
    return Figures(differing * channels / count, largest, total / count, psnr)


def compare(before: Path, after: Path) -> Difference:
    """The exact difference of two picture files, opacity included; of other files, of their bytes.

    Raises:
        InputError: A picture is damaged.
        OSError: A file cannot be read.
    """
    is_same = filecmp.cmp(before, after, shallow=False)
    if not (pictures.is_picture(before) and pictures.is_picture(after)):
        return Difference(is_same)
    if is_same:
        return Difference(is_same, share=0.0, largest=0.0, mean=0.0)
    first, second = pictures.read(before), pictures.read(after)
    sizes = _size(first.pixels), _size(second.pixels)
    if sizes[0] != sizes[1]:
        return Difference(identical=False, sizes=sizes)
    has_alpha = first.alpha is not None or second.alpha is not None
    figures = measure(_levels(first, has_alpha), _levels(second, has_alpha), _WHITE)
    return Difference(
        identical=figures.largest == 0,
        share=figures.share,
        largest=figures.largest * 255 / _WHITE,
        mean=figures.mean * 255 / _WHITE,
        psnr=figures.psnr,
    )


def _levels(picture: pictures.Picture, has_alpha: bool) -> Tensor:
    pixels = picture.pixels
    if has_alpha:
        alpha = torch.ones_like(pixels[:, :1]) if picture.alpha is None else picture.alpha
        pixels = torch.cat([pixels, alpha], dim=1)
    return (pixels * _WHITE).round_().int()


def _size(pixels: Tensor) -> tuple[int, int]:
    return pixels.shape[-1], pixels.shape[-2]
