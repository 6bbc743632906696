"""Sampling: DDIM in its plainest form, independent of the samplers that it helps to check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import torch
from torch import Tensor

TIMESTEPS: Final = 1000

Denoiser: TypeAlias = Callable[[Tensor, Tensor, Tensor], Tensor]


def alphas() -> Tensor:
    """The share of signal (alpha-bar) that is left at each of the 1000 timesteps."""
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, TIMESTEPS, dtype=torch.float64) ** 2
    return (1 - betas).cumprod(0).float()


def noised(x: Tensor, eps: Tensor, timesteps: Tensor) -> Tensor:
    """Clean latents x (B, C, H, W) at the noise level of the timesteps (B)."""
    alpha = alphas()[timesteps][:, None, None, None]
    return alpha.sqrt() * x + (1 - alpha).sqrt() * eps


@torch.no_grad()
def sample(
    predict: Denoiser,
    positive: Tensor,
    negative: Tensor,
    noise: Tensor,
    *,
    steps: int,
    scale: float,
) -> Tensor:
    """Latents made from noise under classifier-free guidance of the given scale.

    `predict(x, timesteps, text)` gives eps; texts are (B, 77, width). Song et al. 2021,
    arXiv:2010.02502, eq. 12 with eta 0; timesteps are spaced as SD 1.x spaces them.
    """
    alpha, x = alphas(), noise
    stride = TIMESTEPS // steps
    for i in reversed(range(steps)):
        t = i * stride + 1
        before = alpha[t - stride] if i else alpha[0]
        clock = torch.full((len(x),), t)
        eps = predict(x, clock, positive)
        if scale != 1:
            unguided = predict(x, clock, negative)
            eps = unguided + scale * (eps - unguided)
        denoised = (x - (1 - alpha[t]).sqrt() * eps) / alpha[t].sqrt()
        x = before.sqrt() * denoised + (1 - before).sqrt() * eps
    return x
