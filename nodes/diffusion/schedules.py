"""Schedules: which noise levels a run visits, and what the model's clock shows at each.

Symbols: `sigma` is the noise's standard deviation over unit-variance latents, `t` the model's
timestep (0-999, may be fractional). Sigmas come from the training noise by
sigma(t) = sqrt((1 - alphas_cumprod[t]) / alphas_cumprod[t]).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray

from engine.errors import InputError
from nodes.values import ProfileName, SamplerName, ScheduleName

Array = NDArray[np.float64]
Clock = Literal["interpolated", "rounded"]
"""How t is read off sigma: between the table's entries in log sigma, or at the nearest entry."""

MULTISTEP: frozenset[SamplerName] = frozenset({"dpmpp_2m", "dpmpp_2m_sde"})
VARIANCE_PRESERVING: frozenset[SamplerName] = frozenset({*MULTISTEP, "ddim", "lcm"})
"""Samplers whose diffusers scheduler holds x / sqrt(1 + sigma^2), on an integer clock."""

STEPS_OFFSET = 1
"""What the Stable Diffusion 1 repositories add to `leading` timesteps; 0 moves results by 2 %."""

LCM_STEPS = 50
"""The steps of the solver that latent consistency models are distilled from (arXiv:2310.04378)."""

RHO = 7.0
"""Karras et al. 2022, eq. 5, arXiv:2206.00364."""


@dataclass(frozen=True, eq=False)
class NoiseSchedule:
    """The noise a model was trained with, as tables over its timesteps, least noise first."""

    alphas_cumprod: Array

    @classmethod
    def scaled_linear(cls, start: float = 0.00085, end: float = 0.012, count: int = 1000) -> Self:
        """The training noise of Stable Diffusion 1, 2 and XL: betas linear in their square root."""
        # In float32, as the models were trained and as diffusers computes it.
        betas = torch.linspace(start**0.5, end**0.5, count, dtype=torch.float32) ** 2
        return cls(torch.cumprod(1.0 - betas, dim=0).double().numpy())

    @cached_property
    def sigmas(self) -> Array:
        """Standard deviation of the noise at each timestep, ascending."""
        return np.asarray(np.sqrt((1 - self.alphas_cumprod) / self.alphas_cumprod))

    @cached_property
    def log_sigmas(self) -> Array:
        """Logarithms of `sigmas`."""
        return np.asarray(np.log(self.sigmas))

    @property
    def count(self) -> int:
        """How many timesteps the model knows."""
        return len(self.alphas_cumprod)

    def sigma(self, t: Array) -> Array:
        """Noise at fractional timesteps, linear in log sigma (k-diffusion)."""
        return np.exp(np.interp(t, np.arange(self.count), self.log_sigmas))

    def sigma_linear(self, t: Array) -> Array:
        """Noise at fractional timesteps, linear in sigma (diffusers)."""
        return np.interp(t, np.arange(self.count), self.sigmas)

    def timestep(self, sigma: Array, clock: Clock = "interpolated") -> Array:
        """The model's clock at a noise level, inverse of `sigma`; clamped to the table."""
        t = np.interp(np.log(np.maximum(sigma, 1e-10)), self.log_sigmas, np.arange(self.count))
        return np.round(t) if clock == "rounded" else t


@dataclass(frozen=True)
class Schedule:
    """The noise levels of a run, descending, with the model's clock at each step.

    `sigmas` has one entry more than `timesteps`: where the last step arrives, 0 as a rule.
    """

    sigmas: tuple[float, ...]
    timesteps: tuple[float, ...]

    @property
    def steps(self) -> int:
        """How many steps the run takes."""
        return len(self.timesteps)

    def last(self, steps: int) -> "Schedule":
        """The run's last `steps` steps."""
        cut = self.steps - steps
        return Schedule(self.sigmas[cut:], self.timesteps[cut:])


def schedule(
    name: ScheduleName,
    noise: NoiseSchedule,
    steps: int,
    *,
    sampler: SamplerName,
    profile: ProfileName,
) -> Schedule:
    """A full run of `steps` steps, from the most noise to none.

    linspace, trailing and leading are spaced in t as in Lin et al. 2023, table 2
    (arXiv:2305.08891), and by the `diffusers` profile exactly as the scheduler class of `sampler`
    does it: DPMSolverMultistepScheduler divides the range into one part more, LCMScheduler knows
    one spacing only. The other names are ComfyUI's and mean the same in both profiles, except that
    `ddim_uniform` takes `steps` steps also where ComfyUI takes one more.

    t is what the spacing says, or is read off sigma: to the nearest entry in the `comfyui` profile
    and for `VARIANCE_PRESERVING` samplers, as their diffusers classes do, else between entries.

    Raises:
        InputError: The model knows fewer timesteps than `steps`.
    """
    if not 1 <= steps <= noise.count:
        raise InputError(
            f"a schedule of {steps} steps is asked for, the model knows {noise.count} timesteps: "
            f"give 1 to {noise.count} steps, counting those that denoise leaves out",
            input="steps",
        )
    own = profile == "diffusers"
    rounded = not own or sampler in VARIANCE_PRESERVING
    if name in SPACINGS:
        t = _spaced(name, noise, steps, sampler if own else "euler")
        sigmas = noise.sigma_linear(t)
        if not own:
            t = noise.timestep(sigmas, "rounded")
    else:
        sigmas = SIGMAS[name](noise, steps)
        t = noise.timestep(sigmas, "rounded" if rounded else "interpolated")
    last = 0.0
    if own and sampler == "ddim":
        # DDIMScheduler of the Stable Diffusion repositories: set_alpha_to_one=False.
        last = float(noise.sigmas[0])
        sigmas = np.maximum(sigmas, last)
    return Schedule((*map(float, sigmas), last), tuple(map(float, t)))


def run(
    full: Callable[[int], Schedule], steps: int, *, denoise: float = 1.0, start_step: int = 0
) -> Schedule:
    """The part of a schedule that a run goes through.

    Args:
        full: A schedule for a number of steps.
        denoise: Fraction of the schedule to go through, always in `steps` steps: the last `steps`
            of int(steps / denoise). 0 goes through none.
        start_step: Steps to leave out at the noisy end. The `strength` of diffusers' pipelines is
            `start_step = steps - int(steps * strength)`.

    Raises:
        InputError: `start_step` lies beyond the last step.
    """
    if not 0 <= start_step <= steps:
        raise InputError(
            f"start_step is {start_step} of {steps} steps: give a number from 0 to {steps}",
            input="start_step",
        )
    if denoise <= 0 or start_step == steps:
        return Schedule((0.0,), ())
    # ComfyUI's threshold: what rounding in the interface leaves of 1.
    total = steps if denoise > 0.9999 else int(steps / denoise)
    return full(total).last(steps - start_step)


def rest(
    full: Callable[[int], Schedule], sigma: float, timestep: float, steps: int, *, most: int
) -> Schedule:
    """The last `steps` steps of a schedule, begun at a noise level on the way.

    Of the schedules whose last `steps` steps all lie below the level, the one that meets it best,
    its first level moved there. So the rest of a run laid anew in as many steps is that rest, where
    its spacing leaves no choice; only lcm's, from 50 levels, meets a level in several ways.

    Args:
        full: A schedule for a number of steps.
        sigma: The noise level to begin at.
        timestep: The model's clock there.
        steps: How many steps to take.
        most: The greatest number of steps that there is a full schedule of.

    Raises:
        InputError: No schedule has so many steps below the level.
    """
    met, best = math.inf, None
    for total in range(steps, most + 1):
        plan = full(total).last(steps)
        if steps == 1 or plan.sigmas[1] < sigma:
            distance = abs(math.log(plan.sigmas[0] / sigma))
            if distance < met:
                met, best = distance, plan
        if plan.sigmas[0] <= sigma:
            break
    if best is None:
        raise InputError(
            f"there are no {steps} steps of this schedule below a noise of {sigma:.4g}: take fewer, "
            "or another schedule",
            input="steps",
        )
    return Schedule((sigma, *best.sigmas[1:]), (timestep, *best.timesteps[1:]))


def most_steps(
    name: ScheduleName, noise: NoiseSchedule, *, sampler: SamplerName, profile: ProfileName
) -> int:
    """The greatest number of steps that there is a full schedule of."""
    taught = sampler == "lcm" and profile == "diffusers" and name in SPACINGS
    return LCM_STEPS if taught else noise.count


def _spaced(name: ScheduleName, noise: NoiseSchedule, steps: int, sampler: SamplerName) -> Array:
    if sampler == "lcm":
        return _consistency(noise, steps)
    spacing = SPACINGS[name]
    if sampler in MULTISTEP and name != "trailing" and steps < noise.count:
        t = spacing(noise.count, steps + 1)[:-1]
    else:
        t = spacing(noise.count, steps)
    return np.round(t) if sampler in VARIANCE_PRESERVING else t


def _linspace(count: int, steps: int) -> Array:
    # A single step starts at the noisy end, where diffusers' own would start it at t = 0. Counted
    # upwards, as diffusers does: halves are rounded after.
    return np.linspace(0, count - 1, steps)[::-1] if steps > 1 else np.array([count - 1.0])


def _leading(count: int, steps: int) -> Array:
    return _lattice(count, steps).astype(np.float64)


def _lattice(count: int, steps: int) -> NDArray[np.int64]:
    multiples = np.arange(steps)[::-1] * (count // steps)
    # With as many steps as timesteps there is no room for the offset.
    return multiples + min(STEPS_OFFSET, count - 1 - int(multiples[0]))


def _trailing(count: int, steps: int) -> Array:
    return np.round(np.arange(count, 0, -count / steps))[:steps] - 1


def _consistency(noise: NoiseSchedule, steps: int) -> Array:
    if steps > LCM_STEPS:
        raise InputError(
            f"lcm has {steps} steps and is distilled from {LCM_STEPS}: give at most {LCM_STEPS}, "
            f"or a schedule that is not one of {', '.join(SPACINGS)}",
            input="steps",
        )
    taught = np.arange(1, LCM_STEPS + 1)[::-1] * (noise.count // LCM_STEPS) - 1
    chosen = np.floor(np.linspace(0, LCM_STEPS, steps, endpoint=False)).astype(np.int64)
    return taught[chosen].astype(np.float64)


def _normal(noise: NoiseSchedule, steps: int) -> Array:
    return noise.sigma(np.linspace(noise.count - 1, 0, steps))


def _sgm_uniform(noise: NoiseSchedule, steps: int) -> Array:
    return noise.sigma(np.linspace(noise.count - 1, 0, steps + 1)[:-1])


def _simple(noise: NoiseSchedule, steps: int) -> Array:
    stride = noise.count / steps
    return noise.sigmas[[noise.count - 1 - int(step * stride) for step in range(steps)]]


def _ddim_uniform(noise: NoiseSchedule, steps: int) -> Array:
    return noise.sigmas[_lattice(noise.count, steps)]


def _karras(noise: NoiseSchedule, steps: int) -> Array:
    """Karras et al. 2022, eq. 5."""
    low, high = noise.sigmas[0] ** (1 / RHO), noise.sigmas[-1] ** (1 / RHO)
    return np.asarray((high + np.linspace(0, 1, steps) * (low - high)) ** RHO)


def _exponential(noise: NoiseSchedule, steps: int) -> Array:
    return np.exp(np.linspace(noise.log_sigmas[-1], noise.log_sigmas[0], steps))


SPACINGS: dict[ScheduleName, Callable[[int, int], Array]] = {
    "linspace": _linspace,
    "leading": _leading,
    "trailing": _trailing,
}
SIGMAS: dict[ScheduleName, Callable[[NoiseSchedule, int], Array]] = {
    "normal": _normal,
    "karras": _karras,
    "exponential": _exponential,
    "simple": _simple,
    "sgm_uniform": _sgm_uniform,
    "ddim_uniform": _ddim_uniform,
}
