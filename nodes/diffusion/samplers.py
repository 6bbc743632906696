"""Samplers: integrators from noise to latents, one step at a time from point to point.

Symbols: `x` are the noisy latents, x = x0 + sigma * noise (k-diffusion's variance-exploding form),
`denoised` the model's estimate of x0, `d = (x - denoised) / sigma` the slope of the probability
flow dx / dsigma (Karras et al. 2022, eq. 3, arXiv:2206.00364), `h` a step in log SNR.

Every sampler here agrees with its diffusers scheduler and, given the same noise, with k-diffusion.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from nodes.values import SamplerName

from .noise import NoiseStream
from .schedules import Schedule

Denoiser = Callable[[Tensor, int], Tensor]
"""The estimate of x0 from x at the noise of a step: (B, C, h, w), the step's index -> (B, C, h, w)."""


@dataclass(frozen=True, eq=False)
class Point:
    """Where a run stands between two steps: all that changes from step to step.

    Tensors and a number only: a run cut here and continued from the record is bit-equal.
    """

    x: Tensor
    """(B, C, h, w) float32."""
    noise: NoiseStream
    step: int = 0
    denoised: Tensor | None = None
    """The latest estimate of x0: what multistep samplers remember, and what a preview shows."""

    @property
    def estimate(self) -> Tensor:
        """What the latents look like so far: the latest estimate of x0, before the first step x."""
        return self.x if self.denoised is None else self.denoised

    def at_rest(self) -> "Point":
        """The same on the CPU, to be kept."""
        # An inference tensor could not be trained on.
        with torch.inference_mode(mode=False):
            denoised = None if self.denoised is None else self.denoised.to("cpu", copy=True)
            noise = NoiseStream(tuple(state.clone() for state in self.noise.states))
            return Point(self.x.to("cpu", copy=True), noise, self.step, denoised)


class Advance(NamedTuple):
    """What a sampler makes of one step."""

    x: Tensor
    denoised: Tensor
    noise: NoiseStream


def step(sampler: SamplerName, schedule: Schedule, point: Point, denoise: Denoiser) -> Point:
    """The point one step of the schedule further on. The point given stays as it is."""
    moved = SAMPLERS[sampler](schedule.sigmas, point, denoise)
    return Point(moved.x, moved.noise, point.step + 1, moved.denoised)


def finish(schedule: Schedule, point: Point) -> Tensor:
    """The latents of a finished run.

    A schedule that ends above 0 leaves x = x0 + sigma * noise; scaled back to the variance of x0,
    which is what DDIM returns with set_alpha_to_one=False.
    """
    last = schedule.sigmas[-1]
    return point.x if last == 0 or not schedule.steps else point.x / math.sqrt(1 + last**2)


Sigmas = tuple[float, ...]
Sampler = Callable[[Sigmas, Point, Denoiser], Advance]


def euler(sigmas: Sigmas, point: Point, denoise: Denoiser) -> Advance:
    """Euler's method (Karras et al. 2022, alg. 1 without its second order), order 1.

    Also DDIM with eta 0 (Song et al. 2020, eq. 12, arXiv:2010.02502), which is the same step in
    these variables; their runs differ in where they start and end.
    """
    sigma, after = sigmas[point.step : point.step + 2]
    denoised = denoise(point.x, point.step)
    return Advance(_toward(denoised, point.x, after / sigma), denoised, point.noise)


def euler_ancestral(sigmas: Sigmas, point: Point, denoise: Denoiser) -> Advance:
    """Euler's method that steps below the next noise level and adds new noise up to it."""
    sigma, after = sigmas[point.step : point.step + 2]
    denoised = denoise(point.x, point.step)
    added = math.sqrt(after**2 * (sigma**2 - after**2) / sigma**2)
    reached = math.sqrt(after**2 - added**2)
    return _add_noise(_toward(denoised, point.x, reached / sigma), added, denoised, point.noise)


def heun(sigmas: Sigmas, point: Point, denoise: Denoiser) -> Advance:
    """Heun's method (Karras et al. 2022, alg. 1), order 2: asks the model twice but in the last step."""
    sigma, after = sigmas[point.step : point.step + 2]
    denoised = denoise(point.x, point.step)
    predicted = _toward(denoised, point.x, after / sigma)
    if after == 0:
        return Advance(predicted, denoised, point.noise)
    corrected = denoise(predicted, point.step + 1)
    slope = (point.x - denoised) / sigma + (predicted - corrected) / after
    return Advance(point.x + slope * ((after - sigma) / 2), corrected, point.noise)


def dpmpp_2m(sigmas: Sigmas, point: Point, denoise: Denoiser) -> Advance:
    """DPM-Solver++(2M) (Lu et al. 2022, alg. 2, arXiv:2211.01095), order 2 by midpoint."""
    sigma, after = sigmas[point.step : point.step + 2]
    denoised = denoise(point.x, point.step)
    target = denoised
    if point.denoised is not None and after > 0:
        target = torch.lerp(point.denoised, denoised, 1 + 1 / (2 * _ratio(sigmas, point.step)))
    return Advance(_toward(target, point.x, after / sigma), denoised, point.noise)


def dpmpp_2m_sde(sigmas: Sigmas, point: Point, denoise: Denoiser) -> Advance:
    """SDE-DPM-Solver++(2M) (Lu et al. 2022, app. B.5) with eta 1, by midpoint."""
    sigma, after = sigmas[point.step : point.step + 2]
    denoised = denoise(point.x, point.step)
    if after == 0:
        return Advance(denoised, denoised, point.noise)
    target = denoised
    if point.denoised is not None:
        target = torch.lerp(point.denoised, denoised, 1 + 1 / (2 * _ratio(sigmas, point.step)))
    # exp(-2h) of the step h = log(sigma / after); what is left of x is (after / sigma) exp(-h).
    kept = (after / sigma) ** 2
    return _add_noise(
        _toward(target, point.x, kept), after * math.sqrt(1 - kept), denoised, point.noise
    )


def lcm(sigmas: Sigmas, point: Point, denoise: Denoiser) -> Advance:
    """Multistep consistency sampling (Song et al. 2023, alg. 1, arXiv:2303.01469): denoise, noise anew.

    The skip connection c_skip of latent consistency models is left out: at the timesteps that they
    are distilled at (19 and above) it is below 1e-5.
    """
    after = sigmas[point.step + 1]
    denoised = denoise(point.x, point.step)
    return _add_noise(denoised, after, denoised, point.noise)


SAMPLERS: dict[SamplerName, Sampler] = {
    "euler": euler,
    "euler_ancestral": euler_ancestral,
    "heun": heun,
    "dpmpp_2m": dpmpp_2m,
    "dpmpp_2m_sde": dpmpp_2m_sde,
    "ddim": euler,
    "lcm": lcm,
}


def _toward(denoised: Tensor, x: Tensor, kept: float) -> Tensor:
    """What the slope at x, followed until `kept` of the noise is left, leads to."""
    return torch.lerp(denoised, x, kept)


def _ratio(sigmas: Sigmas, step: int) -> float:
    """The previous step's length over this one's, in log SNR."""
    return math.log(sigmas[step - 1] / sigmas[step]) / math.log(sigmas[step] / sigmas[step + 1])


def _add_noise(x: Tensor, sigma: float, denoised: Tensor, noise: NoiseStream) -> Advance:
    if sigma == 0:
        return Advance(x, denoised, noise)
    drawn, after = noise.draw(x.shape)
    return Advance(x + sigma * drawn.to(x.device), denoised, after)
