"""Multistep samplers of the probability flow: each step goes by the estimates of those before, too."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from .point import Advance, Course, Denoiser, Point, along, slope, toward
from .sde import ratio

SHORT = 15
"""Runs of fewer steps end on lower orders, as DPM-Solver's authors and diffusers do it."""
ADAMS_BASHFORTH = (
    (1.0,),
    (3 / 2, -1 / 2),
    (23 / 12, -16 / 12, 5 / 12),
    (55 / 24, -59 / 24, 37 / 24, -9 / 24),
)
"""Of orders 1 to 4, for equal steps, the latest first."""


def dpmpp_2m(course: Course, point: Point, denoise: Denoiser) -> Advance:
    """DPM-Solver++(2M) (Lu et al. 2022, alg. 2, arXiv:2211.01095), order 2 by midpoint."""
    sigma, after = course.levels(point.step)
    denoised = denoise(point.x, point.step)
    target = denoised
    if point.denoised is not None and after > 0:
        target = torch.lerp(point.denoised, denoised, 1 + 1 / (2 * ratio(course, point.step)))
    return Advance(toward(target, point.x, after / sigma), denoised, point.noise)


def lms(course: Course, point: Point, denoise: Denoiser) -> Advance:
    """Linear multistep method: the polynomial through the last four slopes, integrated over sigma."""
    sigma, after = course.levels(point.step)
    denoised = denoise(point.x, point.step)
    known = (slope(denoised, point.x, sigma), *point.history)
    slopes = known[: course.order(4, most=4)]
    # From sigma, in units of the step: the numbers stay near 1.
    scale = after - sigma
    places = [(level - sigma) / scale for level in _latest(course, point.step, len(slopes))]
    lengths = tuple(
        scale * sum(factor / (power + 1) for power, factor in enumerate(polynomial))
        for polynomial in _lagrange(places)
    )
    return Advance(along(point.x, slopes, lengths), denoised, point.noise, known[:3])


def deis(course: Course, point: Point, denoise: Denoiser) -> Advance:
    """DEIS (Zhang and Chen 2022, eq. 15, arXiv:2204.13902): polynomials in log sigma through the last slopes."""
    if course.options.preserving:
        return _deis_in_time(course, point, denoise)
    sigma, after = course.levels(point.step)
    denoised = denoise(point.x, point.step)
    known = (slope(denoised, point.x, sigma), *point.history)
    slopes, kept = known[: course.order(2, most=3)], known[:2]
    if course.schedule.steps < SHORT:
        slopes = slopes[: course.remaining(point.step)]
    if after == 0 or len(slopes) == 1:
        return Advance(toward(denoised, point.x, after / sigma), denoised, point.noise, kept)
    places = [math.log(level / sigma) for level in _latest(course, point.step, len(slopes))]
    moments = _moments(math.log(after / sigma), len(slopes))
    lengths = tuple(
        sigma * sum(factor * moment for factor, moment in zip(polynomial, moments, strict=True))
        for polynomial in _lagrange(places)
    )
    return Advance(along(point.x, slopes, lengths), denoised, point.noise, kept)


def _deis_in_time(course: Course, point: Point, denoise: Denoiser) -> Advance:
    """DEIS with polynomials in the time of a variance-preserving diffusion, as ComfyUI takes it."""
    sigma, after = course.levels(point.step)
    denoised = denoise(point.x, point.step)
    known = (slope(denoised, point.x, sigma), *point.history)
    slopes = known[: course.order(3, most=3)]
    if after == 0 or len(slopes) == 1:
        return Advance(toward(denoised, point.x, after / sigma), denoised, point.noise, known[:2])
    start, end = _time(np.array(sigma)), _time(np.array(after))
    roots, weights = np.polynomial.legendre.leggauss(_POINTS)
    t = start + (end - start) * (roots + 1) / 2
    spread = np.exp(_GROWTH * t**2 / 2 + _LEAST * t) - 1  # sigma^2
    rate = (_GROWTH * t + _LEAST) * (spread + 1) / (2 * np.sqrt(spread))
    places = [float(_time(np.array(each))) for each in _latest(course, point.step, len(slopes))]
    lengths = tuple(
        float(
            (end - start) / 2 * (weights * rate * np.polynomial.polynomial.polyval(t, each)).sum()
        )
        for each in _lagrange(places)
    )
    return Advance(along(point.x, slopes, lengths), denoised, point.noise, known[:2])


def _time(sigma: NDArray[np.float64]) -> NDArray[np.float64]:
    """When log(sigma^2 + 1) is least * t + growth * t^2 / 2: betas grow evenly from `_LEAST`."""
    return np.asarray((np.sqrt(_LEAST**2 + 2 * _GROWTH * np.log(sigma**2 + 1)) - _LEAST) / _GROWTH)


def _of_diffusion(low: float, high: float, first: float) -> tuple[float, float]:
    """The growth of beta and the least one, for noise from `low` at the time `first` to `high` at 1."""
    ends = math.log(low**2 + 1), math.log(high**2 + 1)
    growth = 2 * (ends[0] / first - ends[1]) / (first - 1)
    return growth, ends[1] - growth / 2


_GROWTH, _LEAST = _of_diffusion(0.002, 80.0, 0.001)
"""The diffusion whose time ComfyUI's DEIS takes, whichever model it samples."""
_POINTS = 32
"""Of the quadrature: more change nothing in double precision."""


def pndm(course: Course, point: Point, denoise: Denoiser) -> Advance:
    """PNDM without Runge-Kutta steps (Liu et al. 2022, eq. 12, arXiv:2202.09778): Adams-Bashforth for equal steps.

    The first step is Heun's, so that the model is asked once more than there are steps.
    """
    sigma, after = course.levels(point.step)
    denoised = denoise(point.x, point.step)
    slopes = (slope(denoised, point.x, sigma), *point.history)
    weights = ADAMS_BASHFORTH[len(slopes) - 1]
    x = along(point.x, slopes, tuple((after - sigma) * weight for weight in weights))
    if point.step == 0 and course.remaining(0) > 1:
        second = slope(denoise(x, 1), x, after)
        x = along(point.x, (slopes[0], second), ((after - sigma) / 2,) * 2)
    return Advance(x, denoised, point.noise, slopes[:3])


def _latest(course: Course, step: int, count: int) -> Sequence[float]:
    """The noise levels of the last `count` steps, the latest first."""
    return course.sigmas[step - count + 1 : step + 1][::-1]


def _lagrange(places: Sequence[float]) -> list[list[float]]:
    """The polynomials that are 1 in one of the places and 0 in the others, lowest power first."""
    made = []
    for own in places:
        roots = [place for place in places if place != own]
        polynomial = np.polynomial.polynomial.polyfromroots(roots) if roots else np.ones(1)
        made.append(
            [float(factor) for factor in polynomial / math.prod(own - root for root in roots)]
        )
    return made


def _moments(end: float, count: int) -> list[float]:
    """The integrals of u**k * exp(u) from 0 to `end`, for k below `count`."""
    found = [math.expm1(end)]
    for power in range(1, count):
        found.append(end**power * math.exp(end) - power * found[-1])
    return found
