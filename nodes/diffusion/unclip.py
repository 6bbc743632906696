"""Pictures as unCLIP models read them: CLIP's embedding blurred by noise, and how much noise that is.

Ramesh et al. 2022, arXiv:2204.06125; the noise follows Nichol and Dhariwal's cosine (arXiv:2102.09672, eq. 17).
"""

import math
from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor

from nodes.values import ImagePrompt, Spread

LEVELS = 1000
"""Of noise; the last is the most."""
_MERGED = 50
"""The noise level that several pictures are brought to together."""
_LARGEST_BETA = 0.999


def label(images: Sequence[ImagePrompt], width: int, spread: Spread | None = None) -> Tensor:
    """What a model reads of pictures, (1 or B, width); zeros for none.

    Several count by their strengths, and their sum is blurred once more, as ComfyUI does.

    Args:
        images: The pictures.
        width: Of the embedding and the noise level together.
        spread: The model's own statistics, if it brings any: they count before those of the pictures.
    """
    if not images:
        return torch.zeros(1, width)
    known = [image.spread if spread is None else spread for image in images]
    generators = [torch.Generator("cpu").manual_seed(image.seed) for image in images]
    found = [
        image.strength * _read(image.embedding, image.noise_level, statistics, generator)
        for image, statistics, generator in zip(images, known, generators, strict=True)
    ]
    if len(found) == 1:
        return found[0]
    total = sum(found[1:], start=found[0])[:, : width // 2]
    # The noise goes on where the last picture's ended: ComfyUI sets the seed anew for pictures alone.
    return _read(total, _MERGED, known[-1], generators[-1])


def _read(
    embedding: Tensor, level: int, spread: Spread | None, generator: torch.Generator
) -> Tensor:
    noise = torch.randn(embedding.shape, generator=generator)
    mean, deviation = spread if spread is not None else (0.0, 1.0)
    share = kept()[level]
    blurred = share.sqrt() * (embedding - mean) / deviation + (1 - share).sqrt() * noise
    # The noise level is told in as many numbers as the picture.
    told = waves(torch.full((embedding.shape[0],), float(level)), embedding.shape[-1])
    return torch.cat([blurred * deviation + mean, told], dim=-1)


def waves(numbers: Tensor, width: int, *, cosines_first: bool = True) -> Tensor:
    """Numbers as cosines and sines of falling frequencies, (B, width) (Vaswani et al. 2017, section 3.5)."""
    half = width // 2
    fall = -math.log(10000) / (half if cosines_first else half - 1)
    angles = numbers[:, None] * torch.exp(fall * torch.arange(half, dtype=torch.float32))[None]
    parts = [angles.cos(), angles.sin()] if cosines_first else [angles.sin(), angles.cos()]
    return torch.cat(parts, dim=-1)


@cache
def kept() -> Tensor:
    """For each noise level the share of the embedding's variance that is left."""

    def left(time: float) -> float:
        return math.cos((time + 0.008) / 1.008 * math.pi / 2) ** 2

    betas = [
        min(1 - left((level + 1) / LEVELS) / left(level / LEVELS), _LARGEST_BETA)
        for level in range(LEVELS)
    ]
    return torch.cumprod(1 - torch.tensor(betas, dtype=torch.float64), dim=0)
