"""Samplers of the probability flow that remember nothing: each step goes by what it asks itself."""

import math

from .point import Advance, Course, Denoiser, Point, along, slope, toward


def euler(course: Course, point: Point, denoise: Denoiser) -> Advance:
    """Euler's method (Karras et al. 2022, alg. 1 without its second order), order 1."""
    sigma, after = course.levels(point.step)
    denoised = denoise(point.x, point.step)
    return Advance(toward(denoised, point.x, after / sigma), denoised, point.noise)


def heun(course: Course, point: Point, denoise: Denoiser) -> Advance:
    """Heun's method (Karras et al. 2022, alg. 1), order 2: asks the model twice but in the last step."""
    sigma, after = course.levels(point.step)
    denoised = denoise(point.x, point.step)
    predicted = toward(denoised, point.x, after / sigma)
    if after == 0 or course.remaining(point.step) == 1:
        return Advance(predicted, denoised, point.noise)
    corrected = denoise(predicted, point.step + 1)
    both = slope(denoised, point.x, sigma) + slope(corrected, predicted, after)
    return Advance(along(point.x, (both,), ((after - sigma) / 2,)), corrected, point.noise)


def dpm_2(course: Course, point: Point, denoise: Denoiser) -> Advance:
    """DPM-Solver-2 in Karras' variables (Lu et al. 2022, alg. 1, arXiv:2206.00927), order 2.

    Asks the model twice but in a step to no noise, the second time at the geometric middle.
    """
    sigma, after = course.levels(point.step)
    denoised = denoise(point.x, point.step)
    if after == 0:
        return Advance(denoised, denoised, point.noise)
    middle = math.sqrt(sigma * after)
    halfway = toward(denoised, point.x, middle / sigma)
    corrected = denoise(halfway, point.step, middle)
    there = slope(corrected, halfway, middle)
    return Advance(along(point.x, (there,), (after - sigma,)), corrected, point.noise)
