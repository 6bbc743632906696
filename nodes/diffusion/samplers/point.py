"""Points: where a run stands between two steps, and what a sampler is given to take the next.

Symbols: `x` are the noisy latents, x = x0 + sigma * noise (k-diffusion's variance-exploding form),
`denoised` the model's estimate of x0.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from nodes.diffusion.noise import NoiseStream
from nodes.diffusion.schedules import NoiseSchedule, Schedule


class Denoiser(Protocol):
    """The estimate of x0 from x (B, C, h, w) at the noise of a step.

    With `sigma`, at that noise instead, on the way from the step to the next.
    """

    def __call__(self, x: Tensor, step: int, sigma: float | None = None, /) -> Tensor:
        """The estimate, (B, C, h, w)."""


@dataclass(frozen=True, eq=False)
class Point:
    """Where a run stands between two steps: all that changes from step to step.

    Tensors and numbers only: a run cut here and continued from the record is bit-equal.
    """

    x: Tensor
    """(B, C, h, w) float32."""
    noise: NoiseStream
    step: int = 0
    denoised: Tensor | None = None
    """The latest estimate of x0: what multistep samplers remember, and what a preview shows."""
    history: tuple[Tensor, ...] = ()
    """What else a multistep sampler remembers, (B, C, h, w) each, the latest first."""

    @property
    def estimate(self) -> Tensor:
        """What the latents look like so far: the latest estimate of x0, before the first step x."""
        return self.x if self.denoised is None else self.denoised

    def at_rest(self) -> "Point":
        """The same on the CPU, to be kept."""
        # An inference tensor could not be trained on.
        with torch.inference_mode(mode=False):
            states = tuple(state.clone() for state in self.noise.states)
            return Point(
                self.x.to("cpu", copy=True),
                replace(self.noise, states=states),
                self.step,
                None if self.denoised is None else self.denoised.to("cpu", copy=True),
                tuple(tensor.to("cpu", copy=True) for tensor in self.history),
            )


@cache
def _stable_diffusion() -> NoiseSchedule:
    return NoiseSchedule.scaled_linear()


@dataclass(frozen=True)
class Options:
    """How a sampler is set. None is the sampler's own."""

    eta: float | None = None
    """How much of the noise is made anew in each step, as a share of what keeps its amount."""
    noise_scale: float = 1.0
    """By what the noise of the steps is multiplied."""
    order: int | None = None
    """Of a multistep sampler: how many estimates it goes by."""
    trained: NoiseSchedule = field(default_factory=_stable_diffusion)
    """The noise that the model was trained with."""
    preserving: bool = False
    """Of deis: whether its polynomials lie in the time of a diffusion that preserves the variance."""


@dataclass(frozen=True)
class Course:
    """The way of a run, as its sampler sees it."""

    schedule: Schedule
    options: Options = Options()

    @property
    def sigmas(self) -> tuple[float, ...]:
        """The noise levels, one more than there are steps."""
        return self.schedule.sigmas

    def levels(self, step: int) -> tuple[float, float]:
        """The noise levels that a step goes from and to."""
        return self.sigmas[step], self.sigmas[step + 1]

    def remaining(self, step: int) -> int:
        """How many steps are to be taken, a step itself included."""
        return self.schedule.steps - step

    def eta(self, own: float) -> float:
        """How much noise is made anew; `own` is the sampler's own."""
        return own if self.options.eta is None else self.options.eta

    def order(self, own: int, *, most: int) -> int:
        """How many estimates a multistep sampler goes by; `own` is the sampler's own."""
        return own if self.options.order is None else min(self.options.order, most)


class Advance(NamedTuple):
    """What a sampler makes of one step."""

    x: Tensor
    denoised: Tensor
    noise: NoiseStream
    history: tuple[Tensor, ...] = ()


Step = Callable[[Course, Point, Denoiser], Advance]
"""Takes the next step of a course."""


def toward(denoised: Tensor, x: Tensor, kept: float) -> Tensor:
    """What the slope at x, followed until `kept` of the noise is left, leads to."""
    return torch.lerp(denoised, x, kept)


def slope(denoised: Tensor, x: Tensor, sigma: float) -> Tensor:
    """The slope dx / dsigma of the probability flow, which is the noise's estimate (Karras et al. 2022, eq. 3)."""
    return (x - denoised) / sigma


def along(x: Tensor, slopes: tuple[Tensor, ...], lengths: tuple[float, ...]) -> Tensor:
    """Where slopes, each followed for its length in sigma, lead from x."""
    for each, length in zip(slopes, lengths, strict=True):
        x = torch.add(x, each, alpha=length)
    return x


def stirred(
    course: Course, x: Tensor, sigma: float, noise: NoiseStream
) -> tuple[Tensor, NoiseStream]:
    """Latents with the next noise of a stream, and the stream after it. No noise is drawn for a `sigma` of 0."""
    if sigma == 0:
        return x, noise
    drawn, after = noise.draw(x.shape)
    return x + sigma * course.options.noise_scale * drawn.to(x.device), after
