"""Pictures as unCLIP models read them: CLIP's embedding blurred by noise, and how much noise that is.

Ramesh et al. 2022, arXiv:2204.06125; the noise follows Nichol and Dhariwal's cosine (arXiv:2102.09672, eq. 17).
"""

import math
from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor

from nodes.values import ImagePrompt

LEVELS = 1000
"""Of noise; the last is the most."""
_MERGED = 50
"""The noise level that several pictures are brought to together."""
_LARGEST_BETA = 0.999


def label(images: Sequence[ImagePrompt], width: int) -> Tensor:
    """What a model reads of pictures, (1 or B, width); zeros for none.

    Several count by their strengths, and their sum is blurred once more, as ComfyUI does.
    """
    if not images:
        return torch.zeros(1, width)
    found = [image.strength * _read(image, image.noise_level) for image in images]
    if len(found) == 1:
        return found[0]
    total = sum(found[1:], start=found[0])[:, : width // 2]
    return _read(ImagePrompt(total, 1.0, _MERGED, images[0].seed, images[0].spread), _MERGED)


def _read(image: ImagePrompt, level: int) -> Tensor:
    embedding = image.embedding
    noise = torch.randn(embedding.shape, generator=torch.Generator("cpu").manual_seed(image.seed))
    mean, deviation = image.spread if image.spread is not None else (0.0, 1.0)
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
