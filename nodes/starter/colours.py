"""The colours of the latents' channels: fitted, so that a preview looks like the picture made small."""

from __future__ import annotations

import random
from typing import Final

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor
from torch.nn import functional

from nodes.diffusion.colours import Colours
from nodes.starter import autoencoder, drawing, scenes

PICTURES: Final = 64
DIGITS: Final = 4


def drawn(count: int, seed: int) -> Tensor:
    """Drawn pictures (N, 128, 128, 3) of 0-255, always the same for a seed."""
    rng = random.Random(seed)  # noqa: S311 - reproducible, not secret
    facts = [scenes.imagine(rng) for _ in range(count)]
    return torch.from_numpy(np.stack([drawing.pixels(each, rng) for each in facts]))


@torch.no_grad()
def pairs(model: AutoencoderKL, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Latents (N, 4, 16, 16) of pictures, and what they decode to, as small, in -1 to 1."""
    latents, pictures = [], []
    for part in torch.split(pixels, 8):
        z = model.encode(autoencoder.to_tensor(part)).latent_dist.mode()
        latents.append(z * autoencoder.SCALE)
        pictures.append(functional.avg_pool2d(model.decode(z).sample.clamp(-1, 1), 8))
    return torch.cat(latents), torch.cat(pictures)


def fit(model: AutoencoderKL, count: int = PICTURES) -> tuple[Colours, tuple[float, ...]]:
    """The colours by least squares, and the share of red, green and blue that they explain (R^2)."""
    latents, pictures = pairs(model, drawn(count, seed=31))
    x = latents.permute(0, 2, 3, 1).flatten(0, 2).double()
    y = pictures.permute(0, 2, 3, 1).flatten(0, 2).double()
    x = torch.cat([x, torch.ones(len(x), 1, dtype=x.dtype)], 1)
    found = torch.linalg.lstsq(x, y).solution
    explained = 1 - (x @ found - y).var(0) / y.var(0)
    *channels, base = (tuple(round(number, DIGITS) for number in row) for row in found.tolist())
    return Colours(tuple(channels), base), tuple(round(share, 3) for share in explained.tolist())
