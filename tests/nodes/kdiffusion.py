"""k-diffusion's samplers as ComfyUI runs them, each written out here from its definition, to compare with.

Symbols: `x` noisy latents, `sigma` their noise, `after` that of the next step, `t` = -log sigma, `h` a
step in t. Ancestral samplers draw from `draw`, those of the SDE from the Brownian motion `moved`.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
import torchsde
from scipy import integrate
from torch import Tensor

from nodes.widgets import SamplerName

Denoise = Callable[[Tensor, float], Tensor]
Draw = Callable[[float, float], Tensor]
"""The noise of a step between two levels."""
Rule = Callable[[Denoise, Tensor, Sequence[float], Draw], Tensor]


def drawn(seed: int, shape: Sequence[int]) -> Draw:
    """ComfyUI's noise of ancestral samplers."""
    generator = torch.Generator().manual_seed(seed + 1)
    return lambda sigma, after: torch.randn(tuple(shape), generator=generator)


def moved(seed: int, shape: Sequence[int], sigmas: Sequence[float]) -> Draw:
    """k-diffusion's BrownianTreeNoiseSampler."""
    low, high = (torch.tensor(each) for each in (min(s for s in sigmas if s > 0), max(sigmas)))
    tree: Any = torchsde.BrownianTree(t0=low, w0=torch.zeros(*shape), t1=high, entropy=seed)

    def between(sigma: float, after: float) -> Tensor:
        start, end = torch.tensor(sigma), torch.tensor(after)
        made: Tensor = -tree(end, start) / (end - start).abs().sqrt()
        return made

    return between


def split(sigma: float, after: float) -> tuple[float, float]:
    """An ancestral step: the level to go down to, and the noise to add."""
    up = min(after, math.sqrt(after**2 * (sigma**2 - after**2) / sigma**2))
    return math.sqrt(after**2 - up**2), up


def halfway(sigma: float, after: float) -> float:
    return math.exp((math.log(sigma) + math.log(after)) / 2)


def euler(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw) -> Tensor:
    for sigma, after in pairwise(sigmas):
        x = x + (x - denoise(x, sigma)) / sigma * (after - sigma)
    return x


def euler_ancestral(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw) -> Tensor:
    for sigma, after in pairwise(sigmas):
        down, up = split(sigma, after)
        x = x + (x - denoise(x, sigma)) / sigma * (down - sigma)
        x = x + draw(sigma, after) * up if after > 0 else x
    return x


def heun(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw) -> Tensor:
    for sigma, after in pairwise(sigmas):
        d = (x - denoise(x, sigma)) / sigma
        reached = x + d * (after - sigma)
        if after > 0:
            d = (d + (reached - denoise(reached, after)) / after) / 2
        x = x + d * (after - sigma)
    return x


def dpm_2(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw) -> Tensor:
    for sigma, after in pairwise(sigmas):
        d = (x - denoise(x, sigma)) / sigma
        if after > 0:
            middle = halfway(sigma, after)
            x_2 = x + d * (middle - sigma)
            d = (x_2 - denoise(x_2, middle)) / middle
        x = x + d * (after - sigma)
    return x


def dpm_2_ancestral(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw) -> Tensor:
    for sigma, after in pairwise(sigmas):
        down, up = split(sigma, after)
        d = (x - denoise(x, sigma)) / sigma
        if down > 0:
            middle = halfway(sigma, down)
            x_2 = x + d * (middle - sigma)
            d = (x_2 - denoise(x_2, middle)) / middle
        x = x + d * (down - sigma)
        x = x + draw(sigma, after) * up if after > 0 else x
    return x


def lms(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw) -> Tensor:
    def coefficient(order: int, i: int, j: int) -> float:
        def basis(tau: float) -> float:
            others = [sigmas[i - k] for k in range(order) if k != j]
            return math.prod((tau - other) / (sigmas[i - j] - other) for other in others)

        found: float = integrate.quad(basis, sigmas[i], sigmas[i + 1], epsrel=1e-6)[0]
        return found

    slopes: list[Tensor] = []
    for i, sigma in enumerate(sigmas[:-1]):
        slopes.insert(0, (x - denoise(x, sigma)) / sigma)
        del slopes[4:]
        for j, slope in enumerate(slopes):
            x = x + coefficient(len(slopes), i, j) * slope
    return x


def dpmpp_2s_ancestral(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw) -> Tensor:
    for sigma, after in pairwise(sigmas):
        down, up = split(sigma, after)
        clean = denoise(x, sigma)
        if down == 0:
            x = x + (x - clean) / sigma * (down - sigma)
        else:
            t, t_after = -math.log(sigma), -math.log(down)
            h = t_after - t
            middle = math.exp(-(t + h / 2))
            x_2 = middle / sigma * x - math.expm1(-h / 2) * clean
            x = down / sigma * x - math.expm1(-h) * denoise(x_2, middle)
        x = x + draw(sigma, after) * up if after > 0 else x
    return x


def dpmpp_sde(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw) -> Tensor:
    for sigma, after in pairwise(sigmas):
        clean = denoise(x, sigma)
        if after == 0:
            x = x + (x - clean) / sigma * (after - sigma)
            continue
        # In float32, as the motion is read there.
        t, t_after = (-torch.tensor(level).log() for level in (sigma, after))
        s = t + (t_after - t) * 0.5
        begun, middle, ended = (float((-each).exp()) for each in (t, s, t_after))
        down, up = split(begun, middle)
        x_2 = down / begun * x - math.expm1(-math.log(begun / down)) * clean
        x_2 = x_2 + draw(begun, middle) * up
        down, up = split(begun, ended)
        x = down / begun * x - math.expm1(-math.log(begun / down)) * denoise(x_2, middle)
        x = x + draw(begun, ended) * up
    return x


def dpmpp_2m(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw) -> Tensor:
    older, h_last = None, 0.0
    for sigma, after in pairwise(sigmas):
        clean = denoise(x, sigma)
        if after == 0:
            return clean
        h, target = math.log(sigma / after), clean
        if older is not None:
            r = h_last / h
            target = (1 + 1 / (2 * r)) * clean - 1 / (2 * r) * older
        x = after / sigma * x - math.expm1(-h) * target
        older, h_last = clean, h
    return x


def dpmpp_2m_sde(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw) -> Tensor:
    older, h_last = None, 0.0
    for sigma, after in pairwise(sigmas):
        clean = denoise(x, sigma)
        if after == 0:
            return clean
        h = math.log(sigma / after)
        x = after / sigma * math.exp(-h) * x - math.expm1(-2 * h) * clean
        if older is not None:
            x = x - 0.5 * math.expm1(-2 * h) * (h / h_last) * (clean - older)
        x = x + draw(sigma, after) * after * math.sqrt(-math.expm1(-2 * h))
        older, h_last = clean, h
    return x


def dpmpp_3m_sde(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw) -> Tensor:
    first = second = None
    h_1 = h_2 = 0.0
    for sigma, after in pairwise(sigmas):
        clean = denoise(x, sigma)
        if after == 0:
            return clean
        h = math.log(sigma / after)
        h_eta = 2 * h
        x = math.exp(-h_eta) * x - math.expm1(-h_eta) * clean
        phi_2 = math.expm1(-h_eta) / h_eta + 1
        if first is not None and second is not None:
            r0, r1 = h_1 / h, h_2 / h
            d1_0, d1_1 = (clean - first) / r0, (first - second) / r1
            d1 = d1_0 + (d1_0 - d1_1) * r0 / (r0 + r1)
            d2 = (d1_0 - d1_1) / (r0 + r1)
            x = x + phi_2 * d1 - (phi_2 / h_eta - 0.5) * d2
        elif first is not None:
            x = x + phi_2 * (clean - first) / (h_1 / h)
        x = x + draw(sigma, after) * after * math.sqrt(-math.expm1(-2 * h))
        first, second, h_1, h_2 = clean, first, h, h_1
    return x


def ddpm(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw) -> Tensor:
    for sigma, after in pairwise(sigmas):
        eps = (x - denoise(x, sigma)) / sigma
        kept, kept_after = 1 / (sigma**2 + 1), 1 / (after**2 + 1)
        alpha = kept / kept_after
        x = x / math.sqrt(1 + sigma**2)
        x = math.sqrt(1 / alpha) * (x - (1 - alpha) * eps / math.sqrt(1 - kept))
        if after > 0:
            variance = (1 - alpha) * (1 - kept_after) / (1 - kept)
            x = x + math.sqrt(variance) * draw(sigma, after)
            x = x * math.sqrt(1 + after**2)
    return x


def lcm(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw) -> Tensor:
    for sigma, after in pairwise(sigmas):
        x = denoise(x, sigma)
        x = x + after * draw(sigma, after) if after > 0 else x
    return x


def deis(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw) -> Tensor:
    low, high = math.log(0.002**2 + 1), math.log(80**2 + 1)
    growth = 2 * (low / 1e-3 - high) / (1e-3 - 1)
    least = high - growth / 2
    levels = torch.tensor(sigmas, dtype=torch.float64)
    times = ((least**2 + 2 * growth * (levels**2 + 1).log()).sqrt() - least) / growth
    slopes: list[Tensor] = []
    for step, (sigma, after) in enumerate(pairwise(sigmas)):
        slopes = [(x - denoise(x, sigma)) / sigma, *slopes[:2]]
        if after == 0 or len(slopes) == 1:
            x = x + (after - sigma) * slopes[0]
            continue
        t = torch.linspace(float(times[step]), float(times[step + 1]), 10000, dtype=torch.float64)
        steps = ((growth * t**2 / 2 + least * t).exp() - 1).sqrt().diff()
        middle = (t[1:] + t[:-1]) / 2
        for own in range(len(slopes)):
            others = [step - other for other in range(len(slopes)) if other != own]
            place = times[step - own]
            parts = [(middle - times[at]) / (place - times[at]) for at in others]
            x = x + float((math.prod(parts) * steps).sum()) * slopes[own]
    return x


def unipc(denoise: Denoise, x: Tensor, sigmas: Sequence[float], *, b2: bool) -> Tensor:
    found, places = [denoise(x, sigmas[0])], [-math.log(sigmas[0])]
    for step in range(1, len(sigmas)):
        sigma, after = sigmas[step - 1], sigmas[step]
        order = min(3, step, len(sigmas) - step)
        h = math.log(sigma / after)
        scale = math.expm1(-h) if b2 else -h
        older = [(found[-1 - k], (places[-1 - k] - places[-1]) / h) for k in range(1, order)]
        ratios = [*(ratio for _, ratio in older), 1.0]
        bends = [(each - found[-1]) / ratio for each, ratio in older]
        rows, wanted, phi, factorial = [], [], math.expm1(-h) / -h - 1, 1
        for power in range(1, order + 1):
            rows.append([ratio ** (power - 1) for ratio in ratios])
            wanted.append(phi * factorial / scale)
            factorial *= power + 1
            phi = phi / -h - 1 / factorial
        matrix, right = torch.tensor(rows).double(), torch.tensor(wanted).double()
        ahead = torch.linalg.solve(matrix[:-1, :-1], right[:-1]) if order > 2 else [0.5]
        after_all = torch.linalg.solve(matrix, right) if order > 1 else [0.5]
        start = x * (after / sigma) - math.expm1(-h) * found[-1]
        x = start - scale * sum(float(w) * d for w, d in zip(ahead, bends, strict=False))
        if step + 1 < len(sigmas):
            reached = denoise(x, after)
            bends.append(reached - found[-1])
            x = start - scale * sum(float(w) * d for w, d in zip(after_all, bends, strict=True))
            found.append(reached)
            places.append(-math.log(after))
    return x


RULES: dict[SamplerName, Rule] = {
    "euler": euler,
    "euler_ancestral": euler_ancestral,
    "heun": heun,
    "dpm_2": dpm_2,
    "dpm_2_ancestral": dpm_2_ancestral,
    "lms": lms,
    "dpmpp_2s_ancestral": dpmpp_2s_ancestral,
    "dpmpp_sde": dpmpp_sde,
    "dpmpp_2m": dpmpp_2m,
    "dpmpp_2m_sde": dpmpp_2m_sde,
    "dpmpp_3m_sde": dpmpp_3m_sde,
    "ddim": euler,
    "ddpm": ddpm,
    "deis": deis,
    "lcm": lcm,
    "unipc": lambda denoise, x, sigmas, draw: unipc(denoise, x, sigmas, b2=True),
    "unipc_bh1": lambda denoise, x, sigmas, draw: unipc(denoise, x, sigmas, b2=False),
}
MOVED = {"dpmpp_sde", "dpmpp_2m_sde", "dpmpp_3m_sde"}
"""Those whose noise is a Brownian motion's."""
SHORTENED = {"dpm_2", "dpm_2_ancestral", "unipc", "unipc_bh1"}
"""Those that ComfyUI lays one step more for, and leaves the last level but one out."""
