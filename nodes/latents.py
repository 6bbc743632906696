"""Nodes for latents: empty ones, their size, number and masks."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from engine.errors import InputError
from engine.node import node

from . import facts, fitting
from .diffusion.families import SCALE
from .facts import LatentFacts, PixelFacts, known
from .image import Exact, Scale
from .values import Latents, Mask
from .widgets import BatchSize, Interpolation

if TYPE_CHECKING:
    from torch import Tensor

CHANNELS = 4

LatentPixels = Annotated[
    int, Field(ge=16, le=16384, multiple_of=SCALE, json_schema_extra={"step": SCALE})
]
LatentInterpolation = Literal["nearest", "bilinear", "bicubic", "area"]


@known
def _empty(width: int, height: int, batch_size: int) -> LatentFacts:
    return LatentFacts(batch_size, CHANNELS, height // SCALE, width // SCALE)


@node("EmptyLatent", category="latent", infer=_empty)
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


def _upscaled(latents: LatentFacts, to: Scale | Exact) -> LatentFacts:
    extents = to.extents(latents.width * SCALE, latents.height * SCALE)
    width, height = (max(1, round(side / SCALE)) for side in extents)
    return latents.sized(width, height)


@node("LatentUpscale", category="latent", infer=known(_upscaled))
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

    wanted = _upscaled(facts.of(latents), to)
    resized = functional.interpolate(
        latents.samples,
        (wanted.height, wanted.width),
        mode="nearest-exact" if interpolation == "nearest" else interpolation,
        antialias=interpolation in {"bilinear", "bicubic"},
    )
    mask = latents.mask
    return Latents(resized, mask if mask is None else _fitted(mask, resized, "nearest"))


@known
def _repeated(latents: LatentFacts, times: int) -> LatentFacts:
    mask = latents.mask
    if mask is not None and mask.batch > 1:
        mask = replace(mask, batch=mask.batch * times)
    return replace(latents, batch=latents.batch * times, mask=mask)


@node("RepeatLatent", category="latent", infer=_repeated)
def repeat_latent(latents: Latents, *, times: BatchSize = 2) -> Latents:
    """Repeat a batch: the sampler gives each copy noise of its own.

    Args:
        times: How often each of the latents stands in the result.
    """
    mask = latents.mask
    if mask is not None and mask.shape[0] > 1:
        mask = mask.repeat(times, 1, 1, 1)
    return Latents(latents.samples.repeat(times, 1, 1, 1), mask)


@known
def _masked(latents: LatentFacts, mask: PixelFacts) -> LatentFacts:
    facts.check_masks(mask.batch, latents.batch)
    return replace(latents, mask=mask.sized(latents.width, latents.height))


@node("SetLatentMask", category="latent", infer=_masked)
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


@known
def _blended(base: LatentFacts, overlay: LatentFacts, mask: PixelFacts) -> LatentFacts:
    facts.check_shapes(base, overlay)
    facts.check_masks(mask.batch, base.batch)
    fitting.check_space(base.space, overlay.space, "the overlay", "overlay")
    return replace(base, space=base.space or overlay.space)


@node("MaskBlend", category="latent", infer=_blended)
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

    facts.check_shapes(facts.of(base), facts.of(overlay))
    weight = _fitted(_matched(mask, base), base.samples, interpolation)
    return base.with_samples(torch.lerp(base.samples, overlay.samples, weight))


def _matched(mask: Mask, latents: Latents) -> "Tensor":
    facts.check_masks(mask.pixels.shape[0], latents.samples.shape[0])
    return mask.pixels


def _fitted(mask: "Tensor", samples: "Tensor", interpolation: Interpolation) -> "Tensor":
    from .diffusion import pixels

    return pixels.resize(mask, samples.shape[-1], samples.shape[-2], interpolation)
