"""The same latents of a latent consistency model as ComfyUI's rules make, written out here."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from nodes.latents import empty_latent
from nodes.sampling import ksampler
from nodes.sampling_details import model_sampling
from nodes.widgets import SamplerName, ScheduleName
from tests.nodes import parity, small
from tests.nodes.kdiffusion import RULES, drawn
from tests.nodes.small import MODEL, SmallPool, prompt
from tests.nodes.test_parity_comfyui import TABLE

SEED, SCALE = 6, 1.5
POSITIVE, NEGATIVE = prompt(1), prompt(2)
TAUGHT = TABLE[19::20]


def simple(steps: int) -> list[float]:
    return [*(float(TAUGHT[49 - int(step * 50 / steps)]) for step in range(steps)), 0.0]


def karras(steps: int) -> list[float]:
    low, high = (float(TAUGHT[at]) ** (1 / 7) for at in (0, -1))
    return [*((high + share * (low - high)) ** 7 for share in torch.linspace(0, 1, steps)), 0.0]


def denoised(x: Tensor, sigma: float) -> Tensor:
    entry = int((math.log(sigma) - TAUGHT.log()).abs().argmin())
    t = 19.0 + 20 * entry
    texts = torch.cat([NEGATIVE.embeddings, POSITIVE.embeddings])
    eps = small.unet()(torch.cat([x] * 2) / math.sqrt(1 + sigma**2), t, encoder_hidden_states=texts)
    away, toward = eps.sample.chunk(2)
    estimate = x - sigma * (away + SCALE * (toward - away))
    c_skip = 0.5**2 / ((10 * t) ** 2 + 0.5**2)
    c_out = 10 * t / math.sqrt((10 * t) ** 2 + 0.5**2)
    result: Tensor = c_out * estimate + c_skip * x
    return result


@torch.no_grad()
@pytest.mark.parametrize(
    ("sampler", "schedule", "levels"),
    [("lcm", "simple", simple), ("euler", "karras", karras), ("heun", "karras", karras)],
)
def test_a_distilled_model_follows_the_rules(
    sampler: SamplerName, schedule: ScheduleName, levels: Callable[[int], list[float]]
) -> None:
    latents = empty_latent(width=64, height=64)
    model = model_sampling(MODEL, prediction_type="epsilon", distilled=True)

    found = ksampler(
        model, POSITIVE, NEGATIVE, latents, seed=SEED, steps=6, guidance_scale=SCALE,
        sampler=sampler, schedule=schedule, profile="comfyui", pool=SmallPool(),
    )  # fmt: skip

    sigmas = levels(6)
    noise = torch.randn(latents.samples.shape, generator=torch.Generator().manual_seed(SEED))
    x = noise * math.sqrt(1 + sigmas[0] ** 2)
    expected = RULES[sampler](denoised, x, sigmas, drawn(SEED, x.shape))
    how = f"{sampler} / {schedule}, distilled"
    parity.agree("SD 1.x", how, found.samples, expected, by="ComfyUI's rules")
