"""Samplers: integrators from noise to latents, one step at a time over an explicit state.

Symbols: `x` are the noisy latents, x = x0 + sigma * noise (k-diffusion's variance-exploding form),
`denoised` the model's estimate of x0, `d = (x - denoised) / sigma` the slope of the probability
flow dx / dsigma (Karras et al. 2022, eq. 3, arXiv:2206.00364), `h` a step in log SNR.

Every sampler here agrees with its diffusers scheduler and, given the same noise, with k-diffusion.
"""

import json
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
class SamplerState:
    """Where a run stands: all that its remaining steps depend on.

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

    def tensors(self) -> dict[str, Tensor]:
        """The state's tensors by name, as a safetensors file holds them."""
        named = {f"noise.{index}": state for index, state in enumerate(self.noise.states)}
        named["x"] = self.x
        if self.denoised is not None:
            named["denoised"] = self.denoised
        return named

    def metadata(self) -> str:
        """What is no tensor, as JSON."""
        return json.dumps({"step": self.step, "streams": len(self.noise.states)})

    @classmethod
    def restored(cls, tensors: dict[str, Tensor], metadata: str) -> "SamplerState":
        """The state that `tensors` and `metadata` were taken from."""
        read = json.loads(metadata)
        noise = NoiseStream(tuple(tensors[f"noise.{index}"] for index in range(read["streams"])))
        return cls(tensors["x"], noise, read["step"], tensors.get("denoised"))


class Advance(NamedTuple):
    """What a sampler makes of one step."""

    x: Tensor
    denoised: Tensor
    noise: NoiseStream


def step(
    sampler: SamplerName, schedule: Schedule, state: SamplerState, denoise: Denoiser
) -> SamplerState:
    """The state one step of the schedule further on. The state given stays as it is."""
    moved = SAMPLERS[sampler](schedule.sigmas, state, denoise)
    return SamplerState(moved.x, moved.noise, state.step + 1, moved.denoised)


def finish(schedule: Schedule, state: SamplerState) -> Tensor:
    """The latents of a finished run.

    A schedule that ends above 0 leaves x = x0 + sigma * noise; scaled back to the variance of x0,
    which is what DDIM returns with set_alpha_to_one=False.
    """
    last = schedule.sigmas[-1]
    return state.x if last == 0 or not schedule.steps else state.x / math.sqrt(1 + last**2)


Sigmas = tuple[float, ...]
Sampler = Callable[[Sigmas, SamplerState, Denoiser], Advance]


def euler(sigmas: Sigmas, state: SamplerState, denoise: Denoiser) -> Advance:
    """Euler's method (Karras et al. 2022, alg. 1 without its second order), order 1.

    Also DDIM with eta 0 (Song et al. 2020, eq. 12, arXiv:2010.02502), which is the same step in
    these variables; their runs differ in where they start and end.
    """
    sigma, after = sigmas[state.step : state.step + 2]
    denoised = denoise(state.x, state.step)
    return Advance(_toward(denoised, state.x, after / sigma), denoised, state.noise)


def euler_ancestral(sigmas: Sigmas, state: SamplerState, denoise: Denoiser) -> Advance:
    """Euler's method that steps below the next noise level and adds new noise up to it."""
    sigma, after = sigmas[state.step : state.step + 2]
    denoised = denoise(state.x, state.step)
    added = math.sqrt(after**2 * (sigma**2 - after**2) / sigma**2)
    reached = math.sqrt(after**2 - added**2)
    return _add_noise(_toward(denoised, state.x, reached / sigma), added, denoised, state.noise)


def heun(sigmas: Sigmas, state: SamplerState, denoise: Denoiser) -> Advance:
    """Heun's method (Karras et al. 2022, alg. 1), order 2: asks the model twice but in the last step."""
    sigma, after = sigmas[state.step : state.step + 2]
    denoised = denoise(state.x, state.step)
    predicted = _toward(denoised, state.x, after / sigma)
    if after == 0:
        return Advance(predicted, denoised, state.noise)
    corrected = denoise(predicted, state.step + 1)
    slope = (state.x - denoised) / sigma + (predicted - corrected) / after
    return Advance(state.x + slope * ((after - sigma) / 2), corrected, state.noise)


def dpmpp_2m(sigmas: Sigmas, state: SamplerState, denoise: Denoiser) -> Advance:
    """DPM-Solver++(2M) (Lu et al. 2022, alg. 2, arXiv:2211.01095), order 2 by midpoint."""
    sigma, after = sigmas[state.step : state.step + 2]
    denoised = denoise(state.x, state.step)
    target = denoised
    if state.denoised is not None and after > 0:
        target = torch.lerp(state.denoised, denoised, 1 + 1 / (2 * _ratio(sigmas, state.step)))
    return Advance(_toward(target, state.x, after / sigma), denoised, state.noise)


def dpmpp_2m_sde(sigmas: Sigmas, state: SamplerState, denoise: Denoiser) -> Advance:
    """SDE-DPM-Solver++(2M) (Lu et al. 2022, app. B.5) with eta 1, by midpoint."""
    sigma, after = sigmas[state.step : state.step + 2]
    denoised = denoise(state.x, state.step)
    if after == 0:
        return Advance(denoised, denoised, state.noise)
    target = denoised
    if state.denoised is not None:
        target = torch.lerp(state.denoised, denoised, 1 + 1 / (2 * _ratio(sigmas, state.step)))
    # exp(-2h) of the step h = log(sigma / after); what is left of x is (after / sigma) exp(-h).
    kept = (after / sigma) ** 2
    return _add_noise(
        _toward(target, state.x, kept), after * math.sqrt(1 - kept), denoised, state.noise
    )


def lcm(sigmas: Sigmas, state: SamplerState, denoise: Denoiser) -> Advance:
    """Multistep consistency sampling (Song et al. 2023, alg. 1, arXiv:2303.01469): denoise, noise anew.

    The skip connection c_skip of latent consistency models is left out: at the timesteps that they
    are distilled at (19 and above) it is below 1e-5.
    """
    after = sigmas[state.step + 1]
    denoised = denoise(state.x, state.step)
    return _add_noise(denoised, after, denoised, state.noise)


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
