"""Samplers: integrators from noise to latents, one step at a time from point to point.

Every sampler here agrees with its diffusers scheduler, if there is one, and, given the same noise,
with k-diffusion. What a sampler remembers lies in the `Point`, so a run can be cut at any step.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from nodes.diffusion.schedules import Schedule
from nodes.widgets import SamplerName

from . import ancestral, consistency, multistep, one_step, predictor_corrector, sde
from .point import Advance, Course, Denoiser, Options, Point, Step

__all__ = [
    "BROWNIAN",
    "SAMPLERS",
    "Advance",
    "Course",
    "Denoiser",
    "Options",
    "Point",
    "Sampler",
    "finish",
    "step",
]


def _nothing(step: int) -> int:
    return 0


def _slopes(most: int) -> Callable[[int], int]:
    return lambda step: min(step, most)


def _older(most: int) -> Callable[[int], int]:
    """Estimates beside the latest one."""
    return lambda step: min(max(0, step - 1), most)


@dataclass(frozen=True)
class Sampler:
    """How steps are taken, and what that asks for."""

    step: Step
    history: Callable[[int], int] = _nothing
    """How many tensors a point's history holds after so many steps."""


SAMPLERS: dict[SamplerName, Sampler] = {
    "euler": Sampler(one_step.euler),
    "euler_ancestral": Sampler(ancestral.euler_ancestral),
    "heun": Sampler(one_step.heun),
    "dpm_2": Sampler(one_step.dpm_2),
    "dpm_2_ancestral": Sampler(ancestral.dpm_2_ancestral),
    "lms": Sampler(multistep.lms, history=_slopes(3)),
    "dpmpp_2s_ancestral": Sampler(ancestral.dpmpp_2s_ancestral),
    "dpmpp_sde": Sampler(sde.dpmpp_sde),
    "dpmpp_2m": Sampler(multistep.dpmpp_2m),
    "dpmpp_2m_sde": Sampler(sde.dpmpp_2m_sde),
    "dpmpp_3m_sde": Sampler(sde.dpmpp_3m_sde, history=_older(1)),
    "ddim": Sampler(ancestral.ddim),
    "ddpm": Sampler(ancestral.euler_ancestral),
    "pndm": Sampler(multistep.pndm, history=_slopes(3)),
    "unipc": Sampler(predictor_corrector.unipc, history=_older(2)),
    "unipc_bh1": Sampler(predictor_corrector.unipc_bh1, history=_older(2)),
    "deis": Sampler(multistep.deis, history=_slopes(2)),
    "lcm": Sampler(consistency.lcm),
    "tcd": Sampler(consistency.tcd),
}

BROWNIAN: frozenset[SamplerName] = frozenset({"dpmpp_sde", "dpmpp_2m_sde", "dpmpp_3m_sde"})
"""Those whose noise may be the increments of a Brownian motion."""


def step(
    sampler: SamplerName,
    schedule: Schedule,
    point: Point,
    denoise: Denoiser,
    options: Options | None = None,
) -> Point:
    """The point one step of the schedule further on. The point given stays as it is."""
    course = Course(schedule) if options is None else Course(schedule, options)
    moved = SAMPLERS[sampler].step(course, point, denoise)
    return Point(moved.x, moved.noise, point.step + 1, moved.denoised, moved.history)


def finish(schedule: Schedule, point: Point) -> Tensor:
    """The latents of a finished run.

    A schedule that ends above 0 leaves x = x0 + sigma * noise; scaled back to the variance of x0,
    which is what DDIM returns with set_alpha_to_one=False.
    """
    last = schedule.sigmas[-1]
    return point.x if last == 0 or not schedule.steps else point.x / math.sqrt(1 + last**2)
