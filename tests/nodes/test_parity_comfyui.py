"""The same latents as ComfyUI's rules make, written out here from their definitions."""

import math

import pytest
import torch
from torch import Tensor

from nodes.diffusion.schedules import NoiseSchedule
from nodes.latents import empty_latent
from nodes.sampling import ksampler
from nodes.values import Latents
from nodes.widgets import SamplerName
from tests.nodes import parity, small
from tests.nodes.kdiffusion import MOVED, RULES, SHORTENED, drawn, moved
from tests.nodes.small import MODEL, SmallPool, prompt

BY = "ComfyUI's rules"
MASKED: tuple[SamplerName, ...] = ("euler", "euler_ancestral")
SEED, SCALE, SHAPE = 6, 5.0, (2, 4, 8, 8)
POSITIVE, NEGATIVE = prompt(1), prompt(2)
TABLE = torch.from_numpy(NoiseSchedule.scaled_linear().sigmas)


def normal(steps: int) -> list[float]:
    """Evenly spaced in t, and t to sigma by its logarithm."""
    t = torch.linspace(999, 0, steps, dtype=torch.float64)
    low = t.floor().long().clamp(max=998)
    share = t - low
    return [*(TABLE.log()[low] * (1 - share) + TABLE.log()[low + 1] * share).exp().tolist(), 0.0]


def denoised(x: Tensor, sigma: float) -> Tensor:
    t = (math.log(sigma) - TABLE.log()).abs().argmin()
    texts = torch.cat([NEGATIVE.embeddings, POSITIVE.embeddings]).repeat_interleave(len(x), 0)
    eps = small.unet()(torch.cat([x] * 2) / math.sqrt(1 + sigma**2), t, encoder_hidden_states=texts)
    away, toward = eps.sample.chunk(2)
    result: Tensor = x - sigma * (away + SCALE * (toward - away))
    return result


@torch.no_grad()
def comfyui(latents: Latents, sigmas: list[float], sampler: SamplerName) -> Tensor:
    """A run over the sigmas, its noise mask included."""
    original, mask = latents.samples, latents.mask
    noise = torch.randn(original.shape, generator=torch.Generator().manual_seed(SEED))
    at_maximum = math.isclose(sigmas[0], float(TABLE[-1]), rel_tol=1e-5)
    x = original + noise * (math.sqrt(1 + sigmas[0] ** 2) if at_maximum else sigmas[0])

    def around(x: Tensor, sigma: float) -> Tensor:
        if mask is None:
            return denoised(x, sigma)
        seen = x * mask + (original + sigma * noise) * (1 - mask)
        return denoised(seen, sigma) * mask + original * (1 - mask)

    brownian = sampler in MOVED
    draw = moved(SEED, x.shape, sigmas) if brownian else drawn(SEED, x.shape)
    return RULES[sampler](around, x, sigmas, draw)


def found(latents: Latents, sampler: SamplerName, denoise: float, steps: int) -> Tensor:
    return ksampler(
        MODEL,
        POSITIVE,
        NEGATIVE,
        latents,
        seed=SEED,
        steps=steps,
        guidance_scale=SCALE,
        sampler=sampler,
        schedule="normal",
        denoise=denoise,
        profile="comfyui",
        pool=SmallPool(),
    ).samples


def levels(sampler: SamplerName, denoise: float, steps: int) -> list[float]:
    total = int(steps / denoise)
    if sampler in SHORTENED:
        longer = normal(total + 1)
        end = 0.001 if sampler.startswith("unipc") else 0.0
        return [*longer[:-2], end][-(steps + 1) :]
    return normal(total)[-(steps + 1) :]


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("denoise", [1.0, 0.6])
@pytest.mark.parametrize("sampler", MASKED)
def test_run_follows_the_rules(sampler: SamplerName, denoise: float, *, masked: bool) -> None:
    steps = 4
    latents = (
        Latents(small.noise(3, SHAPE))
        if denoise < 1 or masked
        else empty_latent(width=64, height=64, batch_size=2)
    )
    if masked:
        # Soft: a share of the original is kept.
        latents = Latents(latents.samples, torch.linspace(0, 1, 8).expand(1, 1, 8, 8))
    expected = comfyui(latents, levels(sampler, denoise, steps), sampler)
    how = f"{sampler} / normal, denoise {denoise:g}{', soft mask' if masked else ''}"
    parity.agree("SD 1.x", how, found(latents, sampler, denoise, steps), expected, by=BY)


@pytest.mark.filterwarnings("ignore:Should have t[ab][<>]=t[01]:UserWarning")
@pytest.mark.parametrize("sampler", [name for name in RULES if name not in MASKED])
def test_every_sampler_of_k_diffusion_follows_its_rule(sampler: SamplerName) -> None:
    latents = empty_latent(width=64, height=64, batch_size=2)
    # In 5 steps no level lies halfway between two timesteps, which the clock is rounded to.
    expected = comfyui(latents, levels(sampler, 1.0, 5), sampler)
    parity.agree("SD 1.x", f"{sampler} / normal", found(latents, sampler, 1.0, 5), expected, by=BY)
