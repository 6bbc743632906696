"""Schedules: which noise levels a run visits, and what the model's clock shows at each.

Symbols: `sigma` is the noise's standard deviation over unit-variance latents, `t` the model's
timestep (0-999, may be fractional).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from engine.errors import InputError
from nodes.states import SamplingDetails
from nodes.widgets import Clock, ProfileName, SamplerName, ScheduleName

from .endings import UNIPC_END, ends_clean
from .spacings import (
    SIGMAS,
    SPACINGS,
    TURBO_STEPS,
    beta_in_sigma,
    consistency,
)
from .training_noise import LCM_STEPS, Array, NoiseSchedule

__all__ = [
    "SPACINGS",
    "VARIANCE_PRESERVING",
    "NoiseSchedule",
    "Schedule",
    "most_steps",
    "rest",
    "run",
    "schedule",
]

MULTISTEP: frozenset[SamplerName] = frozenset(
    {"dpmpp_2m", "dpmpp_2m_sde", "dpmpp_3m_sde", "unipc", "unipc_bh1", "deis"}
)
CONSISTENCY: frozenset[SamplerName] = frozenset({"lcm", "tcd"})
VARIANCE_PRESERVING: frozenset[SamplerName] = frozenset(
    {*MULTISTEP, *CONSISTENCY, "ddim", "ddpm", "pndm"}
)
"""Samplers whose diffusers scheduler holds x / sqrt(1 + sigma^2), on an integer clock."""
DISCARDING: frozenset[SamplerName] = frozenset({"dpm_2", "dpm_2_ancestral", "unipc", "unipc_bh1"})
"""Those that ComfyUI gives a schedule of one step more, without its last level but one."""
_ENTRIES: frozenset[ScheduleName] = frozenset({"simple", "ddim_uniform"})
"""Schedules that take noise levels as they stand in the table, and none between them."""
AS_PROFILE = SamplingDetails()


def _no_clock(sigma: float) -> float:
    raise ValueError(f"this schedule has no clock to read a noise of {sigma:g} off")


@dataclass(frozen=True)
class Schedule:
    """The noise levels of a run, descending, with the model's clock at each step.

    `sigmas` has one entry more than `timesteps`: where the last step arrives, 0 as a rule.
    """

    sigmas: tuple[float, ...]
    timesteps: tuple[float, ...]
    clock: Callable[[float], float] = field(default=_no_clock, compare=False, repr=False)
    """The timestep at a noise level between two of the steps."""

    @property
    def steps(self) -> int:
        """How many steps the run takes."""
        return len(self.timesteps)

    def last(self, steps: int) -> "Schedule":
        """The run's last `steps` steps."""
        cut = self.steps - steps
        return replace(self, sigmas=self.sigmas[cut:], timesteps=self.timesteps[cut:])


def schedule(
    name: ScheduleName,
    noise: NoiseSchedule,
    steps: int,
    *,
    sampler: SamplerName,
    profile: ProfileName,
    details: SamplingDetails = AS_PROFILE,
) -> Schedule:
    """A full run of `steps` steps, from the most noise to none.

    linspace, trailing and leading are spaced in t as in Lin et al. 2023, table 2
    (arXiv:2305.08891), and by the `diffusers` profile exactly as the scheduler class of `sampler`
    does it: DPMSolverMultistepScheduler, UniPC and DEIS divide the range into one part more, LCM and
    TCD know one spacing only. `beta` is spaced in sigma by diffusers and in t by ComfyUI. The other
    names are ComfyUI's and mean the same in both profiles, except that `ddim_uniform` takes `steps`
    steps also where ComfyUI takes one more. For a distilled model linspace, trailing and leading are
    LCM's spacing, and every schedule lies between the first and the last timestep that it knows.

    t is what the spacing says, or is read off sigma: to the nearest entry in the `comfyui` profile
    and for `VARIANCE_PRESERVING` samplers, as their diffusers classes do, else between entries.

    Raises:
        InputError: The model knows fewer timesteps than `steps`, or the schedule has fewer levels.
    """
    most = noise.count if name in _ENTRIES else noise.span
    if not 1 <= steps <= most:
        raise InputError(
            f"a schedule of {steps} steps is asked for, the model knows {most} timesteps: "
            f"give 1 to {most} steps, counting those that denoise leaves out"
            + (", or a schedule such as karras" if most < noise.span else ""),
            input="steps",
        )
    own = profile == "diffusers"
    discards = not own and sampler in DISCARDING and steps < most
    sigmas, t = _levels(
        name, noise, steps + discards, sampler=sampler, profile=profile, details=details
    )
    if discards:
        sigmas, t = np.delete(sigmas, -1), np.delete(t, -1)
    last = lowest(noise, sampler, profile, details)
    sigmas = np.maximum(sigmas, last)
    read = clock(noise, sampler=sampler, profile=profile, details=details)
    return Schedule((*map(float, sigmas), last), tuple(map(float, t)), read)


def given(
    sigmas: tuple[float, ...],
    noise: NoiseSchedule,
    *,
    sampler: SamplerName,
    profile: ProfileName,
    details: SamplingDetails = AS_PROFILE,
) -> Schedule:
    """A run through noise levels that are given, to the last of them."""
    read = clock(noise, sampler=sampler, profile=profile, details=details)
    t = noise.timestep(np.array(sigmas[:-1]), between(sampler, profile, details))
    return Schedule(sigmas, tuple(map(float, t)), read)


def clock(
    noise: NoiseSchedule,
    *,
    sampler: SamplerName,
    profile: ProfileName,
    details: SamplingDetails = AS_PROFILE,
) -> Callable[[float], float]:
    """How the model's clock is read off a noise level between two steps."""
    return partial(_read, noise, between(sampler, profile, details))


def lowest(
    noise: NoiseSchedule, sampler: SamplerName, profile: ProfileName, details: SamplingDetails
) -> float:
    """The noise that a run ends at."""
    if ends_clean(sampler, profile, details):
        return 0.0
    is_own = details.last_level is None and profile == "comfyui"
    return UNIPC_END if is_own else float(noise.sigmas[0])


def between(sampler: SamplerName, profile: ProfileName, details: SamplingDetails) -> Clock:
    """How the model's clock is read between two steps."""
    if details.clock is not None:
        return details.clock
    rounded = profile == "comfyui" or sampler in VARIANCE_PRESERVING
    return "rounded" if rounded else "interpolated"


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


def turbo(
    full: Callable[[int], Schedule], steps: int, *, denoise: float, start_step: int
) -> Schedule:
    """The part of the turbo schedule that a run goes through.

    A denoise below 1 begins at a later one of the ten levels, which are those of the model's
    distillation, and not at one between them.
    """
    first = TURBO_STEPS - int(TURBO_STEPS * denoise)
    if denoise <= 0 or start_step >= steps or first == TURBO_STEPS:
        return Schedule((0.0,), ())
    return full(first + steps).last(steps - start_step)


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
    return replace(
        best, sigmas=(sigma, *best.sigmas[1:]), timesteps=(timestep, *best.timesteps[1:])
    )


def most_steps(
    name: ScheduleName, noise: NoiseSchedule, *, sampler: SamplerName, profile: ProfileName
) -> int:
    """The greatest number of steps that there is a full schedule of."""
    if name == "turbo":
        return TURBO_STEPS
    if name in SPACINGS and (
        noise.is_distilled or (sampler in CONSISTENCY and profile == "diffusers")
    ):
        return LCM_STEPS
    return noise.count if name in _ENTRIES else noise.span


def _read(noise: NoiseSchedule, clock: Clock, sigma: float) -> float:
    return float(noise.timestep(np.array(sigma), clock))


def _levels(
    name: ScheduleName,
    noise: NoiseSchedule,
    steps: int,
    *,
    sampler: SamplerName,
    profile: ProfileName,
    details: SamplingDetails,
) -> tuple[Array, Array]:
    """The noise levels of the steps, and the model's clock at each."""
    own = profile == "diffusers"
    read = between(sampler, profile, details)
    if name in SPACINGS:
        t = _spaced(name, noise, steps, sampler if own else "euler")
        sigmas = noise.sigma_linear(t)
        exact = own and details.clock is None
        return sigmas, t if exact else noise.timestep(sigmas, read)
    sigmas = beta_in_sigma(noise, steps) if own and name == "beta" else SIGMAS[name](noise, steps)
    if details.clock is None and name == "karras" and sampler in {"dpm_2", "dpm_2_ancestral"}:
        # KDPM2DiscreteScheduler rounds these timesteps, though not those between them.
        read = "rounded"
    return sigmas, noise.timestep(sigmas, read)


def _spaced(name: ScheduleName, noise: NoiseSchedule, steps: int, sampler: SamplerName) -> Array:
    if sampler in CONSISTENCY or noise.is_distilled:
        return consistency(noise, steps)
    spacing = SPACINGS[name]
    if sampler in MULTISTEP and name != "trailing" and steps < noise.count:
        t = spacing(noise.count, steps + 1)[:-1]
    else:
        t = spacing(noise.count, steps)
    return np.round(t) if sampler in VARIANCE_PRESERVING else t
