"""Blended latents as in the published loop and in diffusers' legacy pipeline."""

from typing import Any

import PIL.Image
import pytest
import torch
from diffusers.pipelines.deprecated.stable_diffusion_variants import (
    pipeline_stable_diffusion_inpaint_legacy,
)
from torch import Tensor

from nodes.latents import set_latent_mask
from nodes.sampling import ksampler
from nodes.vae import vae_encode
from nodes.values import Conditioning, Image, Latents, Mask
from nodes.widgets import SamplerName, ScheduleName
from tests.nodes import parity, small
from tests.nodes.references import (
    DDIM,
    OFFSET,
    SIZE,
    generators,
    made_scheduler,
    picture,
    prompts,
)
from tests.nodes.small import AUTOENCODER, MODEL, SmallPool, prompt, relative_rms

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

LEGACY: Any = pipeline_stable_diffusion_inpaint_legacy.StableDiffusionInpaintPipelineLegacy
CONFIG = {"clip_sample": False, "set_alpha_to_one": False}


def painted() -> tuple[Latents, Mask]:
    """Some latents, and a mask that repaints their middle."""
    mask = torch.zeros(1, 1, SIZE, SIZE)
    mask[..., 16:48, 24:56] = 1
    return Latents(small.noise(6, (1, 4, SIZE // 8, SIZE // 8))), Mask(mask)


def blended_loop(
    scheduler: Any, positive: Conditioning, negative: Conditioning, steps: int, skipped: int
) -> Tensor:
    """Blended latents as in the published loop: DDIM, and the kept area at the noise of each step."""
    latents, mask = painted()
    original, keep = latents.samples, 1 - mask.pixels[..., 4::8, 4::8]
    scheduler.set_timesteps(steps)
    timesteps = scheduler.timesteps[skipped:]
    noise = torch.randn(original.shape, generator=generators(5, 1)[0])
    x: Tensor = scheduler.add_noise(original, noise, timesteps[:1])
    texts = torch.cat([negative.embeddings, positive.embeddings])
    for t in timesteps:
        read = scheduler.scale_model_input(torch.cat([x] * 2), t)
        away, toward = small.unet()(read, t, encoder_hidden_states=texts).sample.chunk(2)
        x = scheduler.step(away + 7.5 * (toward - away), t, x).prev_sample
        x = scheduler.add_noise(original, noise, t.reshape(1)) * keep + x * (1 - keep)
    return x


@pytest.mark.parametrize(
    ("sampler", "schedule", "kind", "config"),
    [
        ("ddim", "leading", "DDIMScheduler", CONFIG),
        ("euler", "leading", "EulerDiscreteScheduler", {"timestep_spacing": "leading"}),
        ("dpmpp_2m", "trailing", "DPMSolverMultistepScheduler", {"timestep_spacing": "trailing"}),
    ],
)
def test_blended_latents(
    sampler: SamplerName, schedule: ScheduleName, kind: str, config: dict[str, Any]
) -> None:
    positive, negative, (latents, mask) = prompt(1), prompt(2), painted()
    with torch.no_grad():
        loop = blended_loop(made_scheduler(kind, **(OFFSET | config)), positive, negative, 6, 2)
    found = ksampler(
        MODEL,
        positive,
        negative,
        set_latent_mask(latents, mask),
        seed=5,
        steps=6,
        start_step=2,
        sampler=sampler,
        schedule=schedule,
        pool=SmallPool(),
    ).samples
    repainted = mask.pixels[..., 4::8, 4::8].expand_as(found) == 1
    how = f"{sampler} / {schedule}, repainted area"
    parity.agree("Blended latents", how, found[repainted], loop[repainted], by="the published loop")
    # The loop leaves the noise of its last step in the kept area; here it is the original itself.
    assert torch.equal(found[~repainted], latents.samples[~repainted])
    assert 1e-2 < relative_rms(loop[~repainted], latents.samples[~repainted]) < 1


@pytest.mark.parametrize(
    ("sampler", "kind", "config"),
    [
        ("ddim", "DDIMScheduler", {"clip_sample": False, "set_alpha_to_one": False}),
        ("euler", "EulerDiscreteScheduler", {"timestep_spacing": "leading"}),
    ],
)
def test_legacy_inpainting(sampler: SamplerName, kind: str, config: dict[str, Any]) -> None:
    steps, strength, seed, positive, negative = 6, 0.75, 31, prompt(1), prompt(2)
    pixels, (_, mask) = picture(), painted()
    made = LEGACY(
        vae=small.autoencoder(),
        text_encoder=None,
        tokenizer=None,
        unet=small.unet(),
        scheduler=made_scheduler("DDIMScheduler", **DDIM),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    made.scheduler = made_scheduler(kind, **(OFFSET | config))
    made.set_progress_bar_config(disable=True)
    expected = made(
        **prompts(positive, negative),
        image=pixels * 2 - 1,
        mask_image=PIL.Image.fromarray((mask.pixels[0, 0] * 255).byte().numpy()),
        strength=strength,
        num_inference_steps=steps,
        generator=generators(seed, 1)[0],
        output_type="latent",
    ).images
    pool = SmallPool()
    latents = vae_encode(AUTOENCODER, Image(pixels), sample=True, seed=seed, pool=pool)
    found = ksampler(
        MODEL,
        positive,
        negative,
        set_latent_mask(latents, mask),
        seed=seed,
        steps=steps,
        sampler=sampler,
        schedule="leading",
        start_step=steps - int(steps * strength),
        draws_before=1,
        pool=pool,
    )
    how = f"{sampler} / leading, strength {strength:g}"
    parity.agree("Blended latents", how, found.samples, expected, by="diffusers, legacy pipeline")
