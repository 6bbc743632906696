"""Samplers of the diffusion SDE: DPM-Solver++ with noise in every step, and `h` a step in log SNR."""

import math

import torch
from torch import Tensor

from nodes.diffusion.noise import NoiseStream

from .ancestral import split
from .point import Advance, Course, Denoiser, Point, toward


def dpmpp_sde(course: Course, point: Point, denoise: Denoiser) -> Advance:
    """DPM-Solver++ (SDE) of k-diffusion, by midpoint; asks the model twice but in a step to no noise."""
    sigma, after = course.levels(point.step)
    denoised = denoise(point.x, point.step)
    if after == 0:
        return Advance(denoised, denoised, point.noise)
    eta, middle = course.eta(1.0), math.sqrt(sigma * after)
    places = _places(sigma, after)
    reached, added = split(sigma, middle, eta)
    halfway = toward(denoised, point.x, reached / sigma)
    halfway, noise = _moved(course, halfway, added, point.noise, places[:2])
    corrected = denoise(halfway, point.step, middle)
    reached, added = split(sigma, after, eta)
    x = toward(corrected, point.x, reached / sigma)
    x, noise = _moved(course, x, added, noise, places[::2])
    return Advance(x, corrected, noise)


def dpmpp_2m_sde(course: Course, point: Point, denoise: Denoiser) -> Advance:
    """SDE-DPM-Solver++(2M) (Lu et al. 2022, app. B.5, arXiv:2211.01095), by midpoint."""
    sigma, after = course.levels(point.step)
    denoised = denoise(point.x, point.step)
    if after == 0:
        return Advance(denoised, denoised, point.noise)
    target = denoised
    if point.denoised is not None:
        target = torch.lerp(point.denoised, denoised, 1 + 1 / (2 * ratio(course, point.step)))
    kept, added = _kept(sigma, after, course.eta(1.0))
    x = toward(target, point.x, kept)
    x, noise = _moved(course, x, added, point.noise, (sigma, after))
    return Advance(x, denoised, noise)


def dpmpp_3m_sde(course: Course, point: Point, denoise: Denoiser) -> Advance:
    """SDE-DPM-Solver++(3M) of k-diffusion: by divided differences of the last three estimates."""
    sigma, after = course.levels(point.step)
    denoised = denoise(point.x, point.step)
    older = () if point.denoised is None else (point.denoised, *point.history)
    if after == 0:
        return Advance(denoised, denoised, point.noise, older[:1])
    eta = course.eta(1.0)
    kept, added = _kept(sigma, after, eta)
    x = toward(denoised, point.x, kept)
    length = (1 + eta) * math.log(sigma / after)
    second = math.expm1(-length) / length + 1
    if len(older) >= 2:
        r0 = ratio(course, point.step)
        r1 = ratio(course, point.step - 1) * r0
        near, far = (denoised - older[0]) / r0, (older[0] - older[1]) / r1
        bend = (near - far) / (r0 + r1)
        x = x + second * (near + bend * r0) - (second / length - 0.5) * bend
    elif older:
        x = x + (denoised - older[0]) * (second / ratio(course, point.step))
    x, noise = _moved(course, x, added, point.noise, (sigma, after))
    return Advance(x, denoised, noise, older[:1])


def ratio(course: Course, step: int) -> float:
    """The previous step's length over a step's, in log SNR."""
    before, sigma, after = course.sigmas[step - 1 : step + 2]
    return math.log(before / sigma) / math.log(sigma / after)


def _kept(sigma: float, after: float, eta: float) -> tuple[float, float]:
    """The share of x that a step leaves, and the noise that it adds."""
    share = after / sigma
    return share ** (1 + eta), after * math.sqrt(1 - share ** (2 * eta))


def _places(sigma: float, after: float) -> tuple[float, float, float]:
    """Where a step begins, halves and ends on the Brownian motion, as float32 makes it of log sigma.

    The references ask for the noise there; a millionth beside it, it is another by a thousandth.
    """
    t, t_after = (torch.tensor(level, dtype=torch.float32).log().neg() for level in (sigma, after))
    halfway = t + (t_after - t) * 0.5
    begun, halved, ended = (float(each.neg().exp()) for each in (t, halfway, t_after))
    return begun, halved, ended


def _moved(
    course: Course, x: Tensor, sigma: float, noise: NoiseStream, levels: tuple[float, ...]
) -> tuple[Tensor, NoiseStream]:
    """Latents with the noise between two levels, and the stream after it."""
    if sigma == 0:
        return x, noise
    drawn, after = noise.between(x.shape, levels[0], levels[-1])
    return x + sigma * course.options.noise_scale * drawn.to(x.device), after
