"""Blended latents: repaint under a mask and keep the rest (Avrahami et al. 2022, arXiv:2206.02779).

What is kept is the original with the noise of the step, so that it joins what is being painted.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from nodes.widgets import SamplerName

from .samplers import Denoiser
from .schedules import VARIANCE_PRESERVING, Schedule


def noised(clean: Tensor, noise: Tensor, sigma: float) -> Tensor:
    """Latents (B, C, h, w) at a noise level."""
    return clean + sigma * noise


def behind(
    clean: Tensor, noise: Tensor, schedule: Schedule, step: int, sampler: SamplerName
) -> Tensor:
    """Latents at the noise that a step began with, as they stand beside the step's result.

    This is one level behind what the step painted, as in diffusers' legacy inpainting. A
    `VARIANCE_PRESERVING` scheduler then reads both at the new level's scale.
    """
    sigma, reached = schedule.sigmas[step : step + 2]
    kept = noised(clean, noise, sigma)
    if sampler in VARIANCE_PRESERVING:
        kept *= math.sqrt((1 + reached**2) / (1 + sigma**2))
    return kept


@dataclass(frozen=True, eq=False)
class Kept:
    """What a run must keep: `original` (B, C, h, w) where `mask` (1 or B, 1, h, w) is 0.

    `noise`, (B, C, h, w), is the noise that the run started with.
    """

    original: Tensor
    mask: Tensor
    noise: Tensor

    def behind(self, x: Tensor, schedule: Schedule, step: int, sampler: SamplerName) -> Tensor:
        """Latents after a step, with the kept area `behind` it."""
        kept = behind(self.original, self.noise, schedule, step, sampler)
        return torch.lerp(kept, x, self.mask)

    def ahead(self, x: Tensor, schedule: Schedule, step: int) -> Tensor:
        """Latents after a step, with the kept area at the noise that the next one begins with."""
        last = step + 1 == schedule.steps
        kept = noised(self.original, self.noise, 0.0 if last else schedule.sigmas[step + 1])
        return torch.lerp(kept, x, self.mask)

    def around(self, denoise: Denoiser, schedule: Schedule) -> Denoiser:
        """A denoiser that sees the original outside the mask, and answers with it (ComfyUI's noise mask)."""

        def kept_denoise(x: Tensor, step: int, sigma: float | None = None) -> Tensor:
            level = schedule.sigmas[step] if sigma is None else sigma
            seen = torch.lerp(noised(self.original, self.noise, level), x, self.mask)
            return torch.lerp(self.original, denoise(seen, step, sigma), self.mask)

        return kept_denoise

    def clean(self, latents: Tensor) -> Tensor:
        """A run's result with the original itself in the kept area."""
        return torch.lerp(self.original, latents, self.mask)
