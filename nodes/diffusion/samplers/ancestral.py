"""Ancestral samplers: each step goes below the next noise level and adds new noise up to it."""

import math

from .point import Advance, Course, Denoiser, Point, along, slope, stirred, toward


def split(sigma: float, after: float, eta: float) -> tuple[float, float]:
    """The level to step down to, and the noise that makes `after` of it again.

    At an eta of 1 the noise has the posterior's variance (Song et al. 2020, eq. 16,
    arXiv:2010.02502, in these variables); at 0 there is none.
    """
    if eta == 0:
        return after, 0.0
    added = min(after, eta * math.sqrt(after**2 * (sigma**2 - after**2) / sigma**2))
    return math.sqrt(after**2 - added**2), added


def euler_ancestral(course: Course, point: Point, denoise: Denoiser) -> Advance:
    """Euler's method with new noise. Also DDPM's step (Ho et al. 2020, alg. 2, arXiv:2006.11239)."""
    return _euler(course, point, denoise, course.eta(1.0))


def ddim(course: Course, point: Point, denoise: Denoiser) -> Advance:
    """DDIM (Song et al. 2020, eq. 12): Euler's step in these variables, with noise at an eta above 0."""
    return _euler(course, point, denoise, course.eta(0.0))


def _euler(course: Course, point: Point, denoise: Denoiser, eta: float) -> Advance:
    sigma, after = course.levels(point.step)
    denoised = denoise(point.x, point.step)
    reached, added = split(sigma, after, eta)
    x, noise = stirred(course, toward(denoised, point.x, reached / sigma), added, point.noise)
    return Advance(x, denoised, noise)


def dpm_2_ancestral(course: Course, point: Point, denoise: Denoiser) -> Advance:
    """DPM-Solver-2 with new noise; asks the model twice but in a step to no noise."""
    sigma, after = course.levels(point.step)
    denoised = denoise(point.x, point.step)
    reached, added = split(sigma, after, course.eta(1.0))
    if reached == 0:
        x, noise = stirred(course, denoised, added, point.noise)
        return Advance(x, denoised, noise)
    middle = math.sqrt(sigma * reached)
    halfway = toward(denoised, point.x, middle / sigma)
    corrected = denoise(halfway, point.step, middle)
    there = slope(corrected, halfway, middle)
    x, noise = stirred(course, along(point.x, (there,), (reached - sigma,)), added, point.noise)
    return Advance(x, corrected, noise)


def dpmpp_2s_ancestral(course: Course, point: Point, denoise: Denoiser) -> Advance:
    """DPM-Solver++(2S) (Lu et al. 2022, alg. 1, arXiv:2211.01095) with new noise, by midpoint.

    Asks the model twice but in a step to no noise.
    """
    sigma, after = course.levels(point.step)
    denoised = denoise(point.x, point.step)
    reached, added = split(sigma, after, course.eta(1.0))
    if reached == 0:
        x, noise = stirred(course, denoised, added, point.noise)
        return Advance(x, denoised, noise)
    middle = math.sqrt(sigma * reached)
    corrected = denoise(toward(denoised, point.x, middle / sigma), point.step, middle)
    x, noise = stirred(course, toward(corrected, point.x, reached / sigma), added, point.noise)
    return Advance(x, corrected, noise)
