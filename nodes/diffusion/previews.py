"""Previews: what latents look like while they are denoised, by a TAESD or by the colours of their channels."""

from collections.abc import Callable
from functools import cached_property, partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from engine.errors import InputError
from engine.notices import notice
from nodes.folders import Folders
from nodes.values import VAE, Model, Weights

from . import taesd
from .colours import FAMILIES, Colours
from .families import FAMILIES as CONSTANTS
from .pool import Pool

Shades = NDArray[np.uint8]
"""A small picture, (h, w, 3)."""
LARGEST, LARGEST_ON_CPU = 64, 32
"""The longest side of latents that a TAESD decodes whole; larger ones are made smaller before. A preview
is shown at 512 pixels at most. One of 512 takes 9 % of what a guided step of SD 1.5 computes at that
size, one of 256 takes 2 %."""


class Previewer:
    """Shows the latents that one model makes. Nothing is looked for or loaded before a preview is asked for."""

    def __init__(self, pool: Pool, model: Model) -> None:
        self.pool, self.model = pool, model

    def of(self, latents: Tensor) -> Callable[[], Shades]:
        """What makes a picture of the first of some latents (B, C, h, w)."""
        return partial(self.show, latents)

    def show(self, latents: Tensor) -> Shades:
        """The picture."""
        first = latents[:1].detach()
        vae = self._vae
        if vae is not None and first.shape[1] == CONSTANTS[self.model.family].latent_channels:
            try:
                return self._decoded(first, vae)
            except (InputError, OSError, RuntimeError) as error:
                notice(f"previews go on without {vae.weights.name}: {error}")
                self._vae = None
        return rgb(first, self._own or FAMILIES.get(self.model.family))

    @cached_property
    def _own(self) -> Colours | None:
        """Those of a checkpoint that has an autoencoder of its own."""
        try:
            weights = self.model.weights
            return self.pool.folders.open(weights.kind, weights.name).colours
        except (InputError, OSError):  # gone or changed meanwhile, which the run itself will tell
            return None

    @cached_property
    def _vae(self) -> VAE | None:
        """The TAESD for the latents, if there is one."""
        if self.pool.previews == "factors" or self._own is not None:
            return None
        return tiny_vae(self.pool.folders, CONSTANTS[self.model.family].scaling_factor)

    def _decoded(self, latents: Tensor, vae: VAE) -> Shades:
        with torch.inference_mode(), self.pool.borrow(vae) as module:
            taesd.check_half(module.config.get("halves"), "decoder", vae.weights.name)
            most = LARGEST_ON_CPU if module.device.type == "cpu" else LARGEST
            given = _at_most(latents.float(), most).to(module.device, module.dtype)
            picture = module.decode(given, return_dict=False)[0]
            return pixels(picture)


def tiny_vae(folders: Folders, scaling_factor: float) -> VAE | None:
    """The TAESD for latents of a scaling factor, if its file is there under one of its usual names."""
    for name, factor in taesd.STEMS.items():
        if factor == scaling_factor and folders.has("vae", name):
            return VAE(Weights("vae", name, folders.digest("vae", name)), factor)
    return None


def rgb(latents: Tensor, colours: Colours | None = None) -> Shades:
    """The first of the latents (B, C, h, w) by the colours of their channels.

    Without colours, or with those of another number of channels, what the first three show: shapes in
    shades that mean nothing.
    """
    first = latents[0].detach().float().cpu()
    if colours is not None and first.shape[0] == len(colours.channels):
        channels, base = torch.tensor(colours.channels), torch.tensor(colours.base)
        return _shades((torch.einsum("chw,cr->hwr", first, channels) + base) / 2 + 0.5)
    channels = first[:3] if first.shape[0] >= 3 else first[:1].expand(3, -1, -1)
    low, high = channels.amin((1, 2), keepdim=True), channels.amax((1, 2), keepdim=True)
    return _shades(((channels - low) / (high - low).clamp(min=1e-6)).permute(1, 2, 0))


def pixels(pictures: Tensor) -> Shades:
    """The first of some pictures (B, 3, h, w) in -1 to 1."""
    return _shades((pictures[0].detach().float() / 2 + 0.5).permute(1, 2, 0))


def _at_most(latents: Tensor, longest: int) -> Tensor:
    """The latents, made smaller by averaging if a side is longer."""
    height, width = latents.shape[-2:]
    scale = longest / max(height, width)
    if scale >= 1:
        return latents
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    return functional.interpolate(latents, size, mode="area")


def _shades(picture: Tensor) -> Shades:
    """A picture (h, w, 3) in 0-1 in 8 bits."""
    small = picture.nan_to_num().clamp(0, 1).mul(255).round().to(torch.uint8)
    shades: Shades = small.cpu().contiguous().numpy()
    return shades
