"""Nodes that move latents about: batches, parts, turns, layers, noise."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from engine.errors import InputError
from engine.node import node

from . import facts, fitting
from .facts import LatentFacts, PixelFacts, known
from .latents import SCALE
from .values import Latents, Mask
from .widgets import Seed

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

Index = Annotated[int, Field(ge=0, le=4095)]
Count = Annotated[int, Field(ge=1, le=4096)]
Offset = Annotated[
    int, Field(ge=-16384, le=16384, multiple_of=SCALE, json_schema_extra={"step": SCALE})
]
Side = Annotated[
    int, Field(ge=SCALE, le=16384, multiple_of=SCALE, json_schema_extra={"step": SCALE})
]
Feather = Annotated[int, Field(ge=0, le=8192, json_schema_extra={"step": SCALE})]
Axis = Literal["horizontal", "vertical"]
Turn = Literal[0, 90, 180, 270]
Spread = Annotated[float, Field(ge=0, le=100, json_schema_extra={"step": 0.05})]


def check_range(latents: int, first: int, count: int) -> None:
    """Raise `InputError` unless a batch has so many latents from the first on."""
    if first + count > latents:
        raise InputError(
            f"there are {latents} latents, and {count} from number {first} on are asked for:"
            f" give a first of at most {latents - 1} and a count of at most {max(latents - first, 1)}",
            code="out_of_batch",
            input="first" if first >= latents else "count",
        )


@known
def _picked(latents: LatentFacts, first: int, count: int) -> LatentFacts:
    check_range(latents.batch, first, count)
    mask = latents.mask
    if mask is not None and mask.batch > 1:
        mask = replace(mask, batch=count)
    return replace(latents, batch=count, mask=mask)


@node("LatentFromBatch", category="latent", infer=_picked)
def latent_from_batch(latents: Latents, *, first: Index = 0, count: Count = 1) -> Latents:
    """Take some latents out of a batch.

    Args:
        first: Number of the first one, from 0.
        count: How many.
    """
    check_range(latents.samples.shape[0], first, count)
    mask = latents.mask
    if mask is not None and mask.shape[0] > 1:
        mask = mask[first : first + count]
    return Latents(latents.samples[first : first + count].clone(), mask)


@known
def _batched(latents: list[LatentFacts]) -> LatentFacts:
    first = latents[0]
    for other in latents[1:]:
        facts.check_shapes(replace(first, batch=1), replace(other, batch=1), "latents")
        fitting.check_space(first.space, other.space, "the second batch", "latents")
    batch = sum(each.batch for each in latents)
    masks = [each.mask for each in latents if each.mask is not None]
    mask = replace(masks[0], batch=batch) if masks else None
    return replace(first, batch=batch, mask=mask)


@node("ConcatenateLatents", category="latent", infer=_batched)
def concatenate_latents(latents: Annotated[list[Latents], Field(min_length=2)]) -> Latents:
    """Join latents of one size into one batch, in the order of their links.

    Args:
        latents: Those without a mask are repainted whole if others have one.
    """
    import torch

    _batched(latents=[facts.of(each) for each in latents])
    samples = torch.cat([each.samples for each in latents])
    if all(each.mask is None for each in latents):
        return Latents(samples)
    masks = [
        torch.ones_like(each.samples[:, :1])
        if each.mask is None
        else each.mask.expand(each.samples.shape[0], -1, -1, -1)
        for each in latents
    ]
    return Latents(samples, torch.cat(masks))


@known
def _cropped(latents: LatentFacts, x: int, y: int, width: int, height: int) -> LatentFacts:
    whole = facts.PixelFacts(latents.batch, latents.height * SCALE, latents.width * SCALE)
    facts.check_part(whole, x, y, width, height)
    return latents.sized(width // SCALE, height // SCALE)


@node("LatentCrop", category="latent", infer=_cropped)
def latent_crop(
    latents: Latents, *, x: Offset = 0, y: Offset = 0, width: Side = 512, height: Side = 512
) -> Latents:
    """Cut out a part of latents, and of their mask.

    Args:
        x: Left border of the part, in pixels.
        y: Upper border of the part, in pixels.
        width: In pixels, as all of it in multiples of 8.
    """
    _cropped(latents=facts.of(latents), x=x, y=y, width=width, height=height)
    left, top, across, down = (side // SCALE for side in (x, y, width, height))
    return _moved(
        latents, lambda plane: plane[..., top : top + down, left : left + across].contiguous()
    )


@node("LatentFlip", category="latent", infer=facts.same("latents"))
def latent_flip(latents: Latents, *, axis: Axis = "horizontal") -> Latents:
    """Mirror latents, and their mask.

    Args:
        axis: horizontal changes left and right, vertical above and below.
    """
    return _moved(latents, lambda plane: plane.flip(-1 if axis == "horizontal" else -2))


@known
def _turned(latents: LatentFacts, degrees: int) -> LatentFacts:
    if degrees % 180 == 0:
        return latents
    return latents.sized(latents.height, latents.width)


@node("LatentRotate", category="latent", infer=_turned)
def latent_rotate(latents: Latents, *, degrees: Turn = 90) -> Latents:
    """Turn latents, and their mask, clockwise."""
    return _moved(latents, lambda plane: plane.rot90(-degrees // 90, (-2, -1)).contiguous())


@known
def _composed(base: LatentFacts, overlay: LatentFacts, mask: PixelFacts | None) -> LatentFacts:
    if mask is not None:
        facts.check_masks(mask.batch, base.batch)
    alike = replace(overlay, width=base.width, height=base.height)
    if overlay.batch == 1:
        alike = replace(alike, batch=base.batch)
    facts.check_shapes(base, alike)
    fitting.check_space(base.space, overlay.space, "the overlay", "overlay")
    return replace(base, space=base.space or overlay.space)


@node("LatentComposite", category="latent", infer=_composed)
def latent_composite(
    base: Latents,
    overlay: Latents,
    mask: Mask | None = None,
    *,
    x: Offset = 0,
    y: Offset = 0,
    feather: Feather = 0,
) -> Latents:
    """Lay latents over others.

    Args:
        base: What stays beside the overlay; its mask stays too.
        overlay: As many as the base, or one; what reaches out of the base is cut off.
        mask: The overlay shows where it is 1. Of any size; it is stretched to the overlay's.
        x: Where the overlay's left border comes to lie, in pixels.
        y: Where the overlay's upper border comes to lie, in pixels.
        feather: How far, in pixels, the overlay fades in from those of its borders that lie in the base.
    """
    from .diffusion import pixels, tiling

    _composed(
        base=facts.of(base),
        overlay=facts.of(overlay),
        mask=None if mask is None else facts.of(mask),
    )
    left, top = x // SCALE, y // SCALE
    height, width = overlay.samples.shape[-2:]
    reach = (base.samples.shape[-2], base.samples.shape[-1])
    weight = tiling.faded(
        (height, width),
        feather // SCALE,
        (left > 0, top > 0, left + width < reach[1], top + height < reach[0]),
    )
    if mask is not None:
        weight = weight * pixels.resize(mask.pixels, width, height, "bilinear")
    return base.with_samples(pixels.composite(base.samples, overlay.samples, weight, left, top))


@node("LatentNoise", category="latent", infer=facts.same("latents"))
def latent_noise(latents: Latents, *, seed: Seed = 0, strength: Spread = 1.0) -> Latents:
    """Add noise to latents; latent k of a batch gets that of seed + k.

    Args:
        strength: The noise's standard deviation; clean latents have about 1.
    """
    import torch

    from .diffusion.noise import NoiseStream

    drawn = [
        NoiseStream.seeded((seed + index) % 2**64).draw(latents.samples[:1].shape)[0]
        for index in range(latents.samples.shape[0])
    ]
    return latents.with_samples(latents.samples + strength * torch.cat(drawn))


def _moved(latents: Latents, move: "Callable[[Tensor], Any]") -> Latents:
    mask = latents.mask
    return Latents(move(latents.samples), mask if mask is None else move(mask))
