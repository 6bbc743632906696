"""Nodes that give a model a picture to read in channels of its own, beside the latents."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import Field

from engine.facts import has_unknown
from engine.node import UNKNOWN, Progress, node, silent

from . import autoencoded, facts, fitting
from .diffusion.families import UPSCALER
from .diffusion.pool import Pool, in_process
from .facts import LatentFacts, PixelFacts
from .latents import CHANNELS, SCALE
from .vae import vae_encode
from .values import VAE, Conditioning, Image, Latents, Mask
from .widgets import Seed

if TYPE_CHECKING:
    from torch import Tensor

NoiseLevel = Annotated[int, Field(ge=0, le=350)]
_MASK = 1


class Equipped(NamedTuple):
    """The prompts with what the model reads beside the latents, and latents of that size to start from."""

    positive: Conditioning
    negative: Conditioning
    latents: Latents


class Deepened(NamedTuple):
    """The prompts with what the model reads beside the latents."""

    positive: Conditioning
    negative: Conditioning


def _brought(prompt: Any, channels: int, size: PixelFacts) -> Any:
    return prompt if prompt is UNKNOWN else replace(prompt, beside=(channels, size))


def _masked(
    *, positive: Any, negative: Any, vae: Any, image: Any, mask: Any, mask_latents: Any, pool: Pool
) -> tuple[Any, Any, Any]:
    if has_unknown((vae, image, mask)):
        return UNKNOWN, UNKNOWN, UNKNOWN
    _check_mask(image, mask)
    latents = autoencoded.encoded_picture(vae=vae, image=image, odd_size="refuse", pool=pool)
    if has_unknown((latents, mask_latents)):
        return UNKNOWN, UNKNOWN, UNKNOWN
    size = PixelFacts(latents.batch, latents.height, latents.width)
    told = replace(latents, mask=replace(size, batch=mask.batch)) if mask_latents else latents
    channels = latents.channels + _MASK
    return _brought(positive, channels, size), _brought(negative, channels, size), told


def _check_mask(image: PixelFacts, mask: PixelFacts) -> None:
    facts.matched(image, mask, ("image", "mask"), "bring the mask to its size with ResizeMask")
    facts.check_masks(mask.batch, image.batch)


@node("InpaintConditioning", category="conditioning", lane="device", infer=_masked)
def inpaint_conditioning(
    positive: Conditioning,
    negative: Conditioning,
    vae: VAE,
    image: Image,
    mask: Mask,
    *,
    mask_latents: bool = True,
    pool: Pool = in_process,
    progress: Progress = silent,
) -> Equipped:
    """Show an inpainting model, one of 9 channels, what to repaint and what is around it.

    Args:
        image: Width and height must be multiples of 8.
        mask: As large as the picture; 1 is repainted. What lies between counts as one or the other.
        mask_latents: Whether the latents have the mask too, so that a sampler leaves what is around
            it exactly as it is. diffusers leaves that to the model.
    """
    from torch.nn import functional

    _check_mask(facts.of(image), facts.of(mask))
    hole = (mask.pixels >= 0.5).float()
    grey = image.pixels * (1 - hole) + 0.5 * hole
    around = vae_encode(vae, Image(grey), pool=pool, progress=progress).samples
    start = vae_encode(vae, image, pool=pool).samples
    small = functional.interpolate(hole, size=around.shape[-2:])
    beside = _joined(small, around)
    latents = Latents(start, small if mask_latents else None)
    return Equipped(_with(positive, beside), _with(negative, beside), latents)


def _joined(mask: "Tensor", picture: "Tensor") -> "Tensor":
    import torch

    return torch.cat([mask.expand(picture.shape[0], -1, -1, -1), picture], dim=1)


def _with(prompt: Conditioning, beside: "Tensor") -> Conditioning:
    return prompt.each(lambda part: replace(part, beside=beside))


def _edited(
    *, positive: Any, negative: Any, vae: Any, image: Any, pool: Pool
) -> tuple[Any, Any, Any]:
    latents = autoencoded.encoded_picture(vae=vae, image=image, odd_size="refuse", pool=pool)
    if latents is UNKNOWN:
        return UNKNOWN, UNKNOWN, UNKNOWN
    size = PixelFacts(latents.batch, latents.height, latents.width)
    channels = latents.channels
    return _brought(positive, channels, size), _brought(negative, channels, size), latents


@node("EditConditioning", category="conditioning", lane="device", infer=_edited)
def edit_conditioning(
    positive: Conditioning,
    negative: Conditioning,
    vae: VAE,
    image: Image,
    *,
    pool: Pool = in_process,
    progress: Progress = silent,
) -> Equipped:
    """Show an InstructPix2Pix model, one of 8 channels, the picture to edit. The latents are empty.

    A prompt without it counts as one without a picture, which dual guidance compares with.

    Args:
        positive: What to do to the picture, as an order.
        image: Width and height must be multiples of 8.
    """
    # The models were trained on the encoder's own values, without the scaling of latents.
    encoded = vae_encode(vae, image, pool=pool, progress=progress).samples
    beside = encoded / vae.scaling_factor
    return Equipped(_with(positive, beside), _with(negative, beside), Latents(encoded * 0))


def _deep(*, positive: Any, negative: Any, depth: Any, latents: Any) -> tuple[Any, Any]:
    if depth is UNKNOWN or latents is UNKNOWN:
        return UNKNOWN, UNKNOWN
    if latents is not None:
        size = PixelFacts(depth.batch, latents.height, latents.width)
        return _brought(positive, 1, size), _brought(negative, 1, size)
    fitting.check_picture(depth, SCALE)
    size = PixelFacts(depth.batch, depth.height // SCALE, depth.width // SCALE)
    return _brought(positive, 1, size), _brought(negative, 1, size)


@node("DepthConditioning", category="conditioning", infer=_deep)
def depth_conditioning(
    positive: Conditioning, negative: Conditioning, depth: Image, latents: Latents | None = None
) -> Deepened:
    """Show a depth model, one of 5 channels, how far away things are.

    Args:
        depth: Bright is near, as MiDaS has it. Only its own darkest and brightest places count, not
            how dark or bright they are.
        latents: Where the run starts, whose size the map is brought to. Without them the map must be
            as large as the picture is to be.
    """
    from torch.nn import functional

    if latents is None:
        fitting.check_picture(facts.of(depth), SCALE)
    height, width = depth.pixels.shape[-2] // SCALE, depth.pixels.shape[-1] // SCALE
    extent = (height, width) if latents is None else tuple(latents.samples.shape[-2:])
    grey = depth.pixels.mean(dim=1, keepdim=True)
    small = functional.interpolate(grey, size=extent, mode="bicubic", align_corners=False)
    low = small.amin(dim=(1, 2, 3), keepdim=True)
    high = small.amax(dim=(1, 2, 3), keepdim=True)
    beside = 2 * (small - low) / (high - low).clamp(min=1e-12) - 1
    return Deepened(_with(positive, beside), _with(negative, beside))


def _enlarged(*, positive: Any, negative: Any, image: Any) -> tuple[Any, Any, Any]:
    if image is UNKNOWN:
        return UNKNOWN, UNKNOWN, UNKNOWN
    fitting.check_picture(image, SCALE)
    latents = LatentFacts(image.batch, CHANNELS, image.height, image.width)
    return _brought(positive, 3, image), _brought(negative, 3, image), latents


@node("UpscaleConditioning", category="conditioning", infer=_enlarged)
def upscale_conditioning(
    positive: Conditioning,
    negative: Conditioning,
    image: Image,
    *,
    noise_level: NoiseLevel = 20,
    seed: Seed = 0,
) -> Equipped:
    """Show the x4 upscaler, a model of 7 channels, the small picture. The latents are empty.

    Args:
        image: Width and height must be multiples of 8; the picture becomes four times as wide and high.
        noise_level: How much noise to put into the small picture: more leaves more to the model.
        seed: Where that noise comes from; image k of a batch takes seed + k.
    """
    import torch

    from .diffusion.noise import NoiseStream
    from .diffusion.settings import of_family

    fitting.check_picture(facts.of(image), SCALE)
    pixels = image.pixels * 2 - 1
    sigma = float(of_family(UPSCALER.name).sigmas[noise_level])
    drawn = [
        NoiseStream.seeded(seed + k).draw(pixels[k : k + 1].shape)[0] for k in range(len(pixels))
    ]
    # x0 + sigma * noise at a spread of 1: how the noise's schedule has it.
    beside = (pixels + sigma * torch.cat(drawn)) / (1 + sigma**2) ** 0.5
    empty = torch.zeros(len(pixels), CHANNELS, *pixels.shape[-2:])

    def equipped(prompt: Conditioning) -> Conditioning:
        return prompt.each(lambda part: replace(part, beside=beside, noise_level=noise_level))

    return Equipped(equipped(positive), equipped(negative), Latents(empty))
