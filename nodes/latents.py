"""Nodes for latents: empty ones, their size, number and masks."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from engine.errors import InputError
from engine.node import node

from .image import Exact, Scale
from .values import BatchSize, Interpolation, Latents, Mask

if TYPE_CHECKING:
    from torch import Tensor

CHANNELS = 4
SCALE = 8
"""Pixels to one latent."""

LatentPixels = Annotated[
    int, Field(ge=16, le=16384, multiple_of=SCALE, json_schema_extra={"step": SCALE})
]
LatentInterpolation = Literal["nearest", "bilinear", "bicubic", "area"]


@node("EmptyLatent", category="latent")
def empty_latent(
    *, width: LatentPixels = 512, height: LatentPixels = 512, batch_size: BatchSize = 1
) -> Latents:
    """Start from nothing: the sampler makes pictures of this size from noise alone.

    Args:
        width: Pixels, a multiple of 8.
        height: Pixels, a multiple of 8.
    """
    import torch

    for name, side in (("width", width), ("height", height)):
        if side % SCALE:
            raise InputError(
                f"{name} is {side}: give a multiple of {SCALE}, such as {side - side % SCALE}",
                input=name,
            )
    return Latents(torch.zeros(batch_size, CHANNELS, height // SCALE, width // SCALE))


@node("LatentUpscale", category="latent")
def latent_upscale(
    latents: Latents,
    *,
    to: Annotated[Scale | Exact, Field(discriminator="kind")] = Scale(),
    interpolation: LatentInterpolation = "nearest",
) -> Latents:
    """Resize latents, and their mask with them: sample again at a `denoise` of about 0.5 afterwards.

    Args:
        to: In pixels; rounded to whole latents of 8 pixels.
        interpolation: nearest keeps the grain that samplers expect.
    """
    from torch.nn import functional

    rows, columns = latents.samples.shape[-2:]
    width, height = (
        max(1, round(side / SCALE)) for side in to.extents(columns * SCALE, rows * SCALE)
    )
    resized = functional.interpolate(
        latents.samples,
        (height, width),
        mode="nearest-exact" if interpolation == "nearest" else interpolation,
        antialias=interpolation in {"bilinear", "bicubic"},
    )
    mask = latents.mask
    return Latents(resized, mask if mask is None else _fitted(mask, resized, "nearest"))


@node("RepeatLatent", category="latent")
def repeat_latent(latents: Latents, *, times: BatchSize = 2) -> Latents:
    """Repeat a batch: the sampler gives each copy noise of its own.

    Args:
        times: How often each of the latents stands in the result.
    """
    mask = latents.mask
    if mask is not None and mask.shape[0] > 1:
        mask = mask.repeat(times, 1, 1, 1)
    return Latents(latents.samples.repeat(times, 1, 1, 1), mask)


@node("SetLatentMask", category="latent")
def set_latent_mask(
    latents: Latents, mask: Mask, *, interpolation: Interpolation = "nearest"
) -> Latents:
    """Have the sampler repaint only where the mask is 1, and keep the rest.

    Args:
        mask: Of any size; it is stretched to the latents'.
        interpolation: nearest keeps hard edges; the others let a latent be kept in part.
    """
    return Latents(
        latents.samples, _fitted(_matched(mask, latents), latents.samples, interpolation)
    )


@node("MaskBlend", category="latent")
def mask_blend(
    base: Latents, overlay: Latents, mask: Mask, *, interpolation: Interpolation = "nearest"
) -> Latents:
    """Lay one batch of latents over another where a mask is 1.

    Args:
        base: What stays where the mask is 0; its own mask stays too.
        mask: Of any size; it is stretched to the latents'.
        interpolation: nearest keeps hard edges; the others mix along them.
    """
    import torch

    if base.samples.shape != overlay.samples.shape:
        raise InputError(
            f"base is {tuple(base.samples.shape)}, overlay {tuple(overlay.samples.shape)}: "
            "bring them to one size with LatentUpscale and to one number with RepeatLatent",
            code="size_mismatch",
            input="overlay",
        )
    weight = _fitted(_matched(mask, base), base.samples, interpolation)
    return base.with_samples(torch.lerp(base.samples, overlay.samples, weight))


def _matched(mask: Mask, latents: Latents) -> "Tensor":
    masks, batch = mask.pixels.shape[0], latents.samples.shape[0]
    if masks not in {1, batch}:
        raise InputError(
            f"there are {masks} masks for {batch} latents: give 1 or {batch}",
            code="batch_mismatch",
            input="mask",
        )
    return mask.pixels


def _fitted(mask: "Tensor", samples: "Tensor", interpolation: Interpolation) -> "Tensor":
    from .diffusion import pixels

    return pixels.resize(mask, samples.shape[-1], samples.shape[-2], interpolation)
