"""The same latents as ComfyUI's rules make, written out here from their definitions."""

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from nodes.diffusion.schedules import NoiseSchedule
from nodes.latents import empty_latent
from nodes.sampling import ksampler
from nodes.values import Latents
from nodes.widgets import SamplerName
from tests.nodes import small
from tests.nodes.small import MODEL, SmallPool, prompt, relative_rms

SEED, SCALE, SHAPE = 6, 5.0, (2, 4, 8, 8)
POSITIVE, NEGATIVE = prompt(1), prompt(2)
TABLE = torch.from_numpy(NoiseSchedule.scaled_linear().sigmas).float()


def normal(steps: int) -> list[float]:
    """Evenly spaced in t, and t to sigma by its logarithm."""
    t = torch.linspace(999, 0, steps)
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
def comfyui(latents: Latents, sigmas: list[float], *, ancestral: bool) -> Tensor:
    """A run of Euler's method over the sigmas, its noise mask included."""
    original, mask = latents.samples, latents.mask
    noise = torch.randn(original.shape, generator=torch.Generator().manual_seed(SEED))
    generator = torch.Generator().manual_seed(SEED + 1)
    at_maximum = math.isclose(sigmas[0], float(TABLE[-1]), rel_tol=1e-5)
    x = original + noise * (math.sqrt(1 + sigmas[0] ** 2) if at_maximum else sigmas[0])
    for sigma, after in pairwise(sigmas):
        seen = x if mask is None else x * mask + (original + sigma * noise) * (1 - mask)
        clean = denoised(seen, sigma)
        clean = clean if mask is None else clean * mask + original * (1 - mask)
        up = math.sqrt(after**2 * (sigma**2 - after**2) / sigma**2) if ancestral else 0.0
        x = x + (x - clean) / sigma * (math.sqrt(after**2 - up**2) - sigma)
        if up:
            x = x + up * torch.randn(x.shape, generator=generator)
    return x


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("denoise", [1.0, 0.6])
@pytest.mark.parametrize("sampler", ["euler", "euler_ancestral"])
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
    sigmas = normal(int(steps / denoise))[-(steps + 1) :]
    expected = comfyui(latents, sigmas, ancestral=sampler == "euler_ancestral")
    found = ksampler(
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
    )
    assert relative_rms(found.samples, expected) < 1e-4
