"""UniPC: a multistep predictor, and a corrector that goes by the estimate asked for anyway.

Zhao et al. 2023, arXiv:2302.04867, for predictions of x0, with `h` a step in log SNR. In these
variables x = x0 + sigma * noise, alpha is 1.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .point import Advance, Course, Denoiser, Point, toward

Scale = Callable[[float], float]
"""B(h) of the paper, as a function of -h."""


def unipc(course: Course, point: Point, denoise: Denoiser) -> Advance:
    """UniPC with B2(h) = exp(h) - 1."""
    return _step(course, point, denoise, math.expm1)


def unipc_bh1(course: Course, point: Point, denoise: Denoiser) -> Advance:
    """UniPC with B1(h) = h."""
    return _step(course, point, denoise, lambda negative: negative)


def _step(course: Course, point: Point, denoise: Denoiser, scale: Scale) -> Advance:
    sigma, after = course.levels(point.step)
    denoised = denoise(point.x, point.step)
    older = () if point.denoised is None else (point.denoised, *point.history)
    x = point.x
    if older:
        x = _Update(course, point.step - 1, scale).corrected(x, denoised, older)
    predicted = toward(denoised, x, after / sigma)
    update = _Update(course, point.step, scale)
    if update.order > 1:
        predicted = update.predicted(predicted, denoised, older)
    return Advance(predicted, denoised, point.noise, older[:2])


@dataclass(frozen=True)
class _Update:
    """What one step adds to its first-order one, by finite differences of the estimates."""

    course: Course
    step: int
    scale: Scale

    @property
    def order(self) -> int:
        """Lower at the beginning, where few estimates are known, and towards the end."""
        return min(self.course.order(2, most=3), self.step + 1, self.course.remaining(self.step))

    def predicted(self, x: Tensor, denoised: Tensor, older: tuple[Tensor, ...]) -> Tensor:
        """Latents moved from the first order to the step's."""
        for each, weight in zip(older, self._predictor(), strict=False):
            x = torch.add(x, each - denoised, alpha=-weight)
        return x

    def corrected(self, x: Tensor, reached: Tensor, older: tuple[Tensor, ...]) -> Tensor:
        """Latents moved by what the estimate at the step's end adds to its prediction.

        As a difference to the prediction: what was changed in x since then stays changed.
        """
        *inner, last = self._corrector()
        before = self._predictor()
        for each, new, old in zip(older[1:], inner, before, strict=False):
            x = torch.add(x, each - older[0], alpha=old - new)
        return torch.add(x, reached - older[0], alpha=-last)

    @property
    def _length(self) -> float:
        sigma, after = self.course.levels(self.step)
        return math.log(sigma / after)

    @property
    def _ratios(self) -> list[float]:
        """How far back the older estimates lie, in lengths of the step; negative."""
        sigma = self.course.sigmas[self.step]
        levels = self.course.sigmas[self.step - self.order + 1 : self.step][::-1]
        return [math.log(sigma / level) / self._length for level in levels]

    def _predictor(self) -> list[float]:
        if self.order == 1:
            return []
        ratios = self._ratios
        # The paper's own simplification (app. F), which both references follow.
        weights = [0.5] if self.order == 2 else self._solved(ratios, self.order - 1)
        return self._scaled(weights, ratios)

    def _corrector(self) -> list[float]:
        ratios = [*self._ratios, 1.0]
        weights = [0.5] if self.order == 1 else self._solved(ratios, self.order)
        return self._scaled(weights, ratios)

    def _scaled(self, weights: list[float], ratios: list[float]) -> list[float]:
        factor = self.scale(-self._length)
        return [factor * weight / ratio for weight, ratio in zip(weights, ratios, strict=True)]

    def _solved(self, ratios: list[float], count: int) -> list[float]:
        """The weights of theorem 3.1: they make the Taylor terms of the step exact."""
        negative = -self._length
        phi, factorial, terms = math.expm1(negative) / negative - 1, 1, []
        for power in range(1, count + 1):
            terms.append(phi * factorial / self.scale(negative))
            factorial *= power + 1
            phi = phi / negative - 1 / factorial
        powers = np.array([[ratio**power for ratio in ratios] for power in range(count)])
        return [float(weight) for weight in np.linalg.solve(powers, np.array(terms))]
