"""Training noise: what a model was trained with, as tables over its timesteps.

Symbols: `sigma` is the noise's standard deviation over unit-variance latents, `t` the model's
timestep (0-999, may be fractional). Sigmas come from the training noise by
sigma(t) = sqrt((1 - alphas_cumprod[t]) / alphas_cumprod[t]).
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from nodes.widgets import Clock

Array = NDArray[np.float64]

ALIGNED = (14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029)
"""The best ten steps for Stable Diffusion 1 (Sabour et al. 2024, arXiv:2404.14507)."""
ALIGNED_XL = (14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.38, 0.234, 0.113, 0.029)
"""Those for Stable Diffusion XL."""
LCM_STEPS = 50
"""The timesteps of the solver that latent consistency models are distilled from (arXiv:2310.04378)."""
LEAST_SIGNAL = 2.0**-24
"""Of alphas_cumprod at a terminal signal-to-noise ratio of zero: a sigma of 4096, as in diffusers."""


@dataclass(frozen=True, eq=False)
class NoiseSchedule:
    """The noise a model was trained with, as tables over its timesteps, least noise first."""

    alphas_cumprod: Array
    """At every timestep, also at those that a distilled model does not know."""
    aligned: tuple[float, ...] = ALIGNED
    """The noise levels of the schedule `align_your_steps`."""
    is_distilled: bool = False
    """Whether the model knows only the timesteps that it was distilled at, a few of all."""

    @classmethod
    def scaled_linear(cls, start: float = 0.00085, end: float = 0.012, count: int = 1000) -> Self:
        """The training noise of Stable Diffusion 1, 2 and XL: betas linear in their square root."""
        import torch

        # In float32, as the models were trained and as diffusers computes it.
        betas = torch.linspace(start**0.5, end**0.5, count, dtype=torch.float32) ** 2
        return cls(torch.cumprod(1.0 - betas, dim=0).double().numpy())

    def ending_in_noise(self) -> Self:
        """The same with no signal left at the last timestep (Lin et al. 2023, alg. 1, arXiv:2305.08891)."""
        roots = np.sqrt(self.alphas_cumprod)
        roots = (roots - roots[-1]) * roots[0] / (roots[0] - roots[-1])
        return replace(self, alphas_cumprod=np.maximum(roots**2, LEAST_SIGNAL))

    def distilled(self) -> Self:
        """The same at those timesteps only that consistency models are distilled at."""
        return replace(self, is_distilled=True)

    @cached_property
    def timesteps(self) -> Array:
        """Those that the model knows: what its clock shows at each entry of the tables."""
        every = len(self.alphas_cumprod)
        stride = every // LCM_STEPS if self.is_distilled else 1
        return np.arange(stride - 1, every, stride, dtype=np.float64)

    @cached_property
    def sigmas(self) -> Array:
        """Standard deviation of the noise at each timestep that the model knows, ascending."""
        return self.deviation(self.timesteps)

    @cached_property
    def log_sigmas(self) -> Array:
        """Logarithms of `sigmas`."""
        return np.asarray(np.log(self.sigmas))

    @property
    def count(self) -> int:
        """How many timesteps the model knows."""
        return len(self.timesteps)

    @property
    def span(self) -> int:
        """How many timesteps its clock runs over, known or not."""
        return len(self.alphas_cumprod)

    def deviation(self, t: Array) -> Array:
        """Standard deviation of the training noise at whole timesteps, whether the model knows them or not."""
        import torch

        # In float32, as both references hold the table: a Brownian motion tells its last bit.
        known = self.alphas_cumprod[np.asarray(t, dtype=np.int64)]
        kept = torch.from_numpy(np.asarray(known)).float()
        return (((1 - kept) / kept) ** 0.5).double().numpy()

    def sigma(self, t: Array) -> Array:
        """Noise at fractional timesteps, linear in log sigma (k-diffusion)."""
        return np.exp(np.interp(t, self.timesteps, self.log_sigmas))

    def sigma_linear(self, t: Array) -> Array:
        """Noise at fractional timesteps, linear in sigma (diffusers)."""
        return np.interp(t, self.timesteps, self.sigmas)

    def timestep(self, sigma: Array, clock: Clock = "interpolated") -> Array:
        """The model's clock at a noise level, inverse of `sigma`; clamped to the table.

        That of a distilled model shows nothing between two entries.
        """
        log_sigma = np.log(np.maximum(sigma, 1e-10))
        if clock == "rounded" or self.is_distilled:
            entry = np.round(np.interp(log_sigma, self.log_sigmas, np.arange(self.count)))
            return self.timesteps[entry.astype(np.int64)]
        return np.interp(log_sigma, self.log_sigmas, self.timesteps)
