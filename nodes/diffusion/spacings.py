"""Spacings: how many steps to which timesteps or noise levels, most noise first, the end left out."""

import math
from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.errors import InputError
from nodes.widgets import ScheduleName

from .training_noise import LCM_STEPS, Array, NoiseSchedule

STEPS_OFFSET = 1
"""What the Stable Diffusion 1 repositories add to `leading` timesteps; 0 moves results by 2 %."""

TURBO_STEPS = 10
"""The levels that the turbo models are distilled at are among ten (Sauer et al. 2023, arXiv:2311.17042)."""

RHO = 7.0
"""Karras et al. 2022, eq. 5, arXiv:2206.00364."""

BETA = 0.6
"""Both parameters of the beta distribution (Lee et al. 2024, arXiv:2407.12173)."""


def linspace(count: int, steps: int) -> Array:
    """Evenly from the last timestep to the first."""
    # A single step starts at the noisy end, where diffusers' own would start it at t = 0. Counted
    # upwards, as diffusers does: halves are rounded after.
    return np.linspace(0, count - 1, steps)[::-1] if steps > 1 else np.array([count - 1.0])


def leading(count: int, steps: int) -> Array:
    """The multiples of a whole stride, with an offset."""
    return _lattice(count, steps).astype(np.float64)


def _lattice(count: int, steps: int) -> NDArray[np.int64]:
    multiples = np.arange(steps)[::-1] * (count // steps)
    # With as many steps as timesteps there is no room for the offset.
    return multiples + min(STEPS_OFFSET, count - 1 - int(multiples[0]))


def trailing(count: int, steps: int) -> Array:
    """Evenly from the last timestep, with a whole stride left at the end."""
    return np.round(np.arange(count, 0, -count / steps))[:steps] - 1


def consistency(noise: NoiseSchedule, steps: int) -> Array:
    """Some of the timesteps that consistency models are distilled at.

    Raises:
        InputError: There are fewer of them than steps.
    """
    if steps > LCM_STEPS:
        raise InputError(
            f"{steps} steps are asked for, and consistency models are distilled at {LCM_STEPS}: give at"
            f" most {LCM_STEPS}, or a schedule that is not one of {', '.join(SPACINGS)}",
            input="steps",
        )
    taught = noise.distilled().timesteps[::-1]
    return taught[np.floor(np.linspace(0, LCM_STEPS, steps, endpoint=False)).astype(np.int64)]


def normal(noise: NoiseSchedule, steps: int) -> Array:
    """Evenly in t."""
    return noise.sigma(np.linspace(noise.timesteps[-1], noise.timesteps[0], steps))


def sgm_uniform(noise: NoiseSchedule, steps: int) -> Array:
    """Evenly in t, with the first timestep as the end that is left out."""
    return noise.sigma(np.linspace(noise.timesteps[-1], noise.timesteps[0], steps + 1)[:-1])


def simple(noise: NoiseSchedule, steps: int) -> Array:
    """Entries of the table at even strides."""
    stride = noise.count / steps
    return noise.sigmas[[noise.count - 1 - int(step * stride) for step in range(steps)]]


def ddim_uniform(noise: NoiseSchedule, steps: int) -> Array:
    """The entries at `leading` timesteps."""
    return noise.sigmas[_lattice(noise.count, steps)]


def turbo(noise: NoiseSchedule, steps: int) -> Array:
    """The first of the ten levels that turbo models are distilled at.

    Raises:
        InputError: There are fewer of them than steps.
    """
    if steps > TURBO_STEPS:
        raise InputError(
            f"the turbo schedule has {TURBO_STEPS} levels, {steps} steps are asked for: give at most "
            f"{TURBO_STEPS}, or another schedule",
            input="steps",
        )
    stride = noise.count // TURBO_STEPS
    return noise.sigmas[[noise.count - 1 - step * stride for step in range(steps)]]


def karras(low: float, high: float, steps: int, rho: float = RHO) -> Array:
    """Evenly in the root of order rho (Karras et al. 2022, eq. 5)."""
    first, last = high ** (1 / rho), low ** (1 / rho)
    return np.asarray((first + np.linspace(0, 1, steps) * (last - first)) ** rho)


def exponential(low: float, high: float, steps: int) -> Array:
    """Evenly in log sigma."""
    return np.exp(np.linspace(math.log(high), math.log(low), steps))


def polyexponential(low: float, high: float, steps: int, rho: float) -> Array:
    """In log sigma by the power rho of an even ramp, from k-diffusion."""
    ramp = np.linspace(1, 0, steps) ** rho
    return np.exp(ramp * (math.log(high) - math.log(low)) + math.log(low))


def beta_in_t(noise: NoiseSchedule, steps: int, alpha: float = BETA, beta: float = BETA) -> Array:
    """The quantiles of a beta distribution over the timesteps, from ComfyUI."""
    entries = quantiles(steps, alpha, beta, endpoint=False) * (noise.count - 1)
    rounded = np.round(entries)
    # ComfyUI leaves levels out that would stand twice; here, every step is taken.
    chosen = rounded if len(set(rounded)) == steps else entries
    return noise.sigma(np.interp(chosen, np.arange(noise.count), noise.timesteps))


def beta_in_sigma(noise: NoiseSchedule, steps: int) -> Array:
    """The quantiles of a beta distribution over the noise levels, from diffusers."""
    low, high = float(noise.sigmas[0]), float(noise.sigmas[-1])
    return low + quantiles(steps, BETA, BETA, endpoint=True) * (high - low)


def aligned(levels: tuple[float, ...], steps: int) -> Array:
    """Levels found for a number of steps, brought to another one linearly in log sigma (Sabour et al. 2024, arXiv:2404.14507)."""
    places, wanted = np.linspace(0, 1, len(levels)), np.linspace(0, 1, steps + 1)
    return np.exp(np.interp(wanted, places, np.log(levels)))[:-1]


@lru_cache(maxsize=256)
def quantiles(steps: int, alpha: float, beta: float, *, endpoint: bool) -> Array:
    """The places below which even shares of a beta distribution lie, from all of it downwards.

    They take 20 ms to find, and a run asks for the same ones several times.

    Args:
        steps: How many.
        alpha: The distribution's first shape.
        beta: Its second.
        endpoint: Whether the last is that below which nothing lies.
    """
    shares = 1 - np.linspace(0, 1, steps, endpoint=endpoint)
    low, high = np.zeros_like(shares), np.ones_like(shares)
    for _ in range(60):
        middle = (low + high) / 2
        above = _below(middle, alpha, beta) < shares
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    found = np.where(shares <= 0, 0.0, np.where(shares >= 1, 1.0, (low + high) / 2))
    found.flags.writeable = False  # whoever asks gets the same one
    return found


def _below(x: Array, alpha: float, beta: float) -> Array:
    """The regularised incomplete beta function."""
    mirrored = x > (alpha + 1) / (alpha + beta + 2)
    return np.where(
        mirrored, 1 - _lower(np.where(mirrored, 1 - x, 0.5), beta, alpha), _lower(x, alpha, beta)
    )


def _lower(x: Array, alpha: float, beta: float) -> Array:
    """The same by its continued fraction (DLMF 8.17.22), for x below the distribution's middle."""
    fraction = np.zeros_like(x)
    for index in range(40, 0, -1):
        half = index // 2
        factor = -(alpha + half) * (alpha + beta + half) if index % 2 else half * (beta - half)
        factor /= (alpha + index - 1) * (alpha + index)
        fraction = factor * x / (1 + fraction)
    scale = math.exp(math.lgamma(alpha + beta) - math.lgamma(alpha) - math.lgamma(beta)) / alpha
    power = np.maximum(x, 1e-300) ** alpha * np.maximum(1 - x, 1e-300) ** beta
    return np.asarray(scale * power / (1 + fraction))


def _karras(noise: NoiseSchedule, steps: int) -> Array:
    return karras(float(noise.sigmas[0]), float(noise.sigmas[-1]), steps)


def _exponential(noise: NoiseSchedule, steps: int) -> Array:
    return exponential(float(noise.sigmas[0]), float(noise.sigmas[-1]), steps)


def _aligned(noise: NoiseSchedule, steps: int) -> Array:
    return aligned(noise.aligned, steps)


SPACINGS: Mapping[ScheduleName, Callable[[int, int], Array]] = {
    "linspace": linspace,
    "leading": leading,
    "trailing": trailing,
}
"""To timesteps."""
SIGMAS: Mapping[ScheduleName, Callable[[NoiseSchedule, int], Array]] = {
    "normal": normal,
    "karras": _karras,
    "exponential": _exponential,
    "simple": simple,
    "sgm_uniform": sgm_uniform,
    "ddim_uniform": ddim_uniform,
    "beta": beta_in_t,
    "turbo": turbo,
    "align_your_steps": _aligned,
}
"""To noise levels."""
