"""Arithmetic on the pixels of pictures and masks.

Pictures are float32 (B, 3, H, W) and masks (B, 1, H, W), in 0-1 on the CPU; a size reads
"width x height".
"""

import math
from typing import Literal

import numpy as np
import PIL.Image
import torch
from torch import Tensor
from torch.nn import functional

from nodes import facts
from nodes.widgets import Interpolation

Shape = Literal["circle", "square", "diamond"]
_TORCH_MODES = {"nearest": "nearest-exact", "area": "area"}
_FILTERS = {
    "bilinear": PIL.Image.Resampling.BILINEAR,
    "bicubic": PIL.Image.Resampling.BICUBIC,
    "lanczos": PIL.Image.Resampling.LANCZOS,
}
_LUMINANCE = (0.299, 0.587, 0.114)


def matched(
    first: Tensor, second: Tensor, names: tuple[str, str], remedy: str
) -> tuple[Tensor, Tensor]:
    """Both with the same batch; one alone is repeated to go with each of the other's.

    Raises:
        InputError: See `facts.matched`.
    """
    most = facts.matched(facts.of_pixels(first), facts.of_pixels(second), names, remedy)
    return first.expand(most, -1, -1, -1), second.expand(most, -1, -1, -1)


def resize(pixels: Tensor, width: int, height: int, interpolation: Interpolation) -> Tensor:
    """The picture resampled to (B, C, height, width).

    "bilinear", "bicubic" and "lanczos" widen their kernels when they shrink (antialiasing); "area"
    averages the pixels under each new one; "nearest" takes the one under its centre. Overshoot is
    cut to 0-1.
    """
    facts.check_extent(width, height)
    if pixels.shape[-2:] == (height, width):
        return pixels
    filter_ = _FILTERS.get(interpolation)
    if filter_ is not None:
        return _resample(pixels, width, height, filter_).clamp(0, 1)
    return functional.interpolate(pixels, (height, width), mode=_TORCH_MODES[interpolation])


def _resample(pixels: Tensor, width: int, height: int, filter_: PIL.Image.Resampling) -> Tensor:
    """Pillow's filter in floating point, one channel at a time.

    Not torch's: it has Lanczos only since 2.13, and its antialiasing is wrong for a width of 1.
    """
    planes = [
        np.asarray(PIL.Image.fromarray(plane).resize((width, height), filter_))
        for plane in pixels.flatten(0, 1).contiguous().numpy()
    ]
    return torch.from_numpy(np.stack(planes)).view(*pixels.shape[:2], height, width)


def crop(pixels: Tensor, x: int, y: int, width: int, height: int) -> Tensor:
    """The part of `width` x `height` whose upper left corner is (x, y).

    Raises:
        InputError: The part reaches out of the picture.
    """
    facts.check_part(facts.of_pixels(pixels), x, y, width, height)
    return pixels[..., y : y + height, x : x + width].contiguous()


def crop_to_proportions(pixels: Tensor, width: int, height: int) -> Tensor:
    """The largest part about the centre in the proportions width : height, to the nearest pixel."""
    across, down = pixels.shape[-1], pixels.shape[-2]
    factor = min(across / width, down / height)
    part_width, part_height = max(1, round(width * factor)), max(1, round(height * factor))
    return crop(
        pixels, (across - part_width) // 2, (down - part_height) // 2, part_width, part_height
    )


def composite(base: Tensor, overlay: Tensor, mask: Tensor | None, x: int, y: int) -> Tensor:
    """The overlay laid over the base with its upper left corner at (x, y).

    The mask has the overlay's size; the overlay shows where it is 1. What reaches out of the base
    is cut off.

    Raises:
        InputError: Mask and overlay differ in size, or the batches do not go together.
    """
    if mask is None:
        mask = torch.ones(1, 1, *overlay.shape[-2:])
    overlay, mask = matched(
        overlay, mask, ("overlay", "mask"), "bring the mask to its size with ResizeMask"
    )
    left, top = max(x, 0), max(y, 0)
    right = min(x + overlay.shape[-1], base.shape[-1])
    bottom = min(y + overlay.shape[-2], base.shape[-2])
    base, _ = matched(
        base, overlay.new_zeros(len(overlay), 1, *base.shape[-2:]), ("base", "overlay"), ""
    )
    result = base.clone()
    if left < right and top < bottom:
        inside = (..., slice(top - y, bottom - y), slice(left - x, right - x))
        part = result[..., top:bottom, left:right]
        part.copy_(torch.lerp(part, overlay[inside], mask[inside]))
    return result


def pad(pixels: Tensor, sides: tuple[int, int, int, int], value: float) -> Tensor:
    """The picture with a margin of `value`; `sides` are left, top, right, bottom."""
    left, top, right, bottom = sides
    facts.check_extent(pixels.shape[-1] + left + right, pixels.shape[-2] + top + bottom)
    return functional.pad(pixels, (left, right, top, bottom), value=value)


def margin_mask(width: int, height: int, sides: tuple[int, int, int, int], feather: int) -> Tensor:
    """The mask, (1, 1, H, W), of a margin around a picture: 1 on it, fading inwards.

    At a distance d from a margin it is (1 - d / feather)² up to `feather`, 0 beyond.
    """
    left, top, right, bottom = sides
    far = float(max(width, height, feather))
    across, down = torch.arange(width), torch.arange(height)
    distance_x = torch.minimum(
        across if left else torch.tensor(far), width - across if right else torch.tensor(far)
    )
    distance_y = torch.minimum(
        down if top else torch.tensor(far), height - down if bottom else torch.tensor(far)
    )
    distance = torch.minimum(distance_x.expand(height, width), distance_y.expand(width, height).T)
    inner = (
        (1 - distance / max(feather, 1)).clamp(min=0).square()
        if feather
        else torch.zeros(height, width)
    )
    return pad(inner[None, None].float(), sides, 1.0)


def faded(mask: Tensor, sides: tuple[int, int, int, int]) -> Tensor:
    """A mask (B, 1, H, W) that grows evenly from the left, upper, right and lower sides over so many pixels."""
    height, width = mask.shape[-2:]

    def ramp(length: int, reach: int) -> Tensor:
        reach = min(reach, length)
        found = torch.ones(length)
        found[:reach] = torch.arange(1, reach + 1) / max(reach, 1)
        return found

    left, top, right, bottom = sides
    across = ramp(width, left) * ramp(width, right).flip(0)
    down = ramp(height, top) * ramp(height, bottom).flip(0)
    return mask * down[:, None] * across


def luminance(pixels: Tensor) -> Tensor:
    """Brightness, (B, 1, H, W), by the weights of ITU-R BT.601."""
    weights = torch.tensor(_LUMINANCE).view(1, 3, 1, 1)
    return (pixels * weights).sum(dim=1, keepdim=True)


def blur(pixels: Tensor, sigma: float) -> Tensor:
    """A Gaussian blur; beyond the borders the outermost pixels go on."""
    if sigma <= 0:
        return pixels
    reach = math.ceil(3 * sigma)
    offsets = torch.arange(-reach, reach + 1)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel /= kernel.sum()
    planes = pixels.flatten(0, 1).unsqueeze(1)
    planes = functional.conv2d(
        functional.pad(planes, (reach, reach, 0, 0), mode="replicate"), kernel.view(1, 1, 1, -1)
    )
    planes = functional.conv2d(
        functional.pad(planes, (0, 0, reach, reach), mode="replicate"), kernel.view(1, 1, -1, 1)
    )
    return planes.view_as(pixels)


def grow(mask: Tensor, radius: int, shape: Shape) -> Tensor:
    """Greyscale dilation, or for a negative radius erosion; what lies outside takes no part.

    Each pixel gets the largest (smallest) value within `radius` of it: in Euclidean distance
    ("circle", exact), in the larger of both offsets ("square"), or in their sum ("diamond").
    """
    if radius < 0:
        return -_dilate(-mask, -radius, shape)
    return _dilate(mask, radius, shape)


def _dilate(mask: Tensor, radius: int, shape: Shape) -> Tensor:
    """The maximum over horizontal runs, one for each row of the shape.

    Rows are taken from the outermost to the middle: runs only widen, so each is made from the one
    before by a narrow pooling, and the cost grows with the radius, not with its square.
    """
    height, width = mask.shape[-2:]
    row, reach, result = mask, 0, mask
    for dy in range(radius, -1, -1):
        half = min(_half_width(shape, radius, dy), width - 1)
        if half > reach:
            extra = half - reach
            row = functional.max_pool2d(row, (1, 2 * extra + 1), stride=1, padding=(0, extra))
            reach = half
        if dy >= height:
            continue
        result = result.clone()
        torch.maximum(result[..., dy:, :], row[..., : height - dy, :], out=result[..., dy:, :])
        torch.maximum(
            result[..., : height - dy, :], row[..., dy:, :], out=result[..., : height - dy, :]
        )
    return result


def _half_width(shape: Shape, radius: int, dy: int) -> int:
    if shape == "circle":
        return math.isqrt(radius**2 - dy**2)
    return radius if shape == "square" else radius - dy
