"""Samplers of consistency models, which leap to the end in every step and add noise anew."""

import math

import numpy as np

from .point import Advance, Course, Denoiser, Point, stirred, toward


def lcm(course: Course, point: Point, denoise: Denoiser) -> Advance:
    """Multistep consistency sampling (Song et al. 2023, alg. 1, arXiv:2303.01469): denoise, noise anew.

    The skip connection of latent consistency models is the denoiser's, of a model that is said to be
    distilled: see `predictions.bounded`.
    """
    after = course.sigmas[point.step + 1]
    denoised = denoise(point.x, point.step)
    x, noise = stirred(course, denoised, after, point.noise)
    return Advance(x, denoised, noise)


def tcd(course: Course, point: Point, denoise: Denoiser) -> Advance:
    """Strategic stochastic sampling (Zheng et al. 2024, alg. 4, arXiv:2402.19159), with gamma as eta.

    Steps to the share 1 - eta of the next timestep, and adds noise up to it.
    """
    sigma, after = course.levels(point.step)
    denoised = denoise(point.x, point.step)
    eta = course.eta(0.3)
    if eta == 0 or course.remaining(point.step) == 1:
        return Advance(toward(denoised, point.x, after / sigma), denoised, point.noise)
    below = math.floor((1 - eta) * course.schedule.timesteps[point.step + 1])
    reached = min(float(course.options.trained.deviation(np.asarray(below))), after)
    x, noise = stirred(
        course,
        toward(denoised, point.x, reached / sigma),
        math.sqrt(after**2 - reached**2),
        point.noise,
    )
    return Advance(x, denoised, noise)
