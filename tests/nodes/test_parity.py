"""The same pictures as diffusers' own pipelines make, on small models."""

from typing import Any

import pytest
from torch import Tensor

from nodes.control import control_net_apply
from nodes.latents import empty_latent
from nodes.sampling import ksampler
from nodes.vae import vae_decode, vae_encode
from nodes.values import Conditioning, Image
from nodes.widgets import SamplerName, ScheduleName
from tests.nodes import parity, small
from tests.nodes.references import (
    DDIM,
    OFFSET,
    SIZE,
    TOLERANCE,
    generators,
    made_scheduler,
    picture,
    pipeline,
    prompts,
)
from tests.nodes.small import AUTOENCODER, CONTROLNETS, MODEL, SmallPool, prompt, relative_rms

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:__array_wrap__ must accept:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore:Should have t[ab][<>]=t[01]:UserWarning"),
]

SDE = {"algorithm_type": "sde-dpmsolver++"}
LEADING = {"timestep_spacing": "leading"}

SETTINGS: list[tuple[SamplerName, ScheduleName, str, dict[str, Any]]] = [
    ("euler", "leading", "EulerDiscreteScheduler", {"timestep_spacing": "leading"}),
    ("euler", "linspace", "EulerDiscreteScheduler", {"timestep_spacing": "linspace"}),
    ("euler", "karras", "EulerDiscreteScheduler", {"use_karras_sigmas": True}),
    (
        "euler_ancestral",
        "trailing",
        "EulerAncestralDiscreteScheduler",
        {"timestep_spacing": "trailing"},
    ),
    ("heun", "linspace", "HeunDiscreteScheduler", {}),
    ("dpmpp_2m", "karras", "DPMSolverMultistepScheduler", {"use_karras_sigmas": True}),
    ("dpmpp_2m", "linspace", "DPMSolverMultistepScheduler", {}),
    ("dpmpp_2m_sde", "karras", "DPMSolverMultistepScheduler", SDE | {"use_karras_sigmas": True}),
    ("ddim", "leading", "DDIMScheduler", {"clip_sample": False, "set_alpha_to_one": False}),
    ("lcm", "trailing", "LCMScheduler", {"clip_sample": False}),
    ("dpm_2", "linspace", "KDPM2DiscreteScheduler", {}),
    ("dpm_2_ancestral", "leading", "KDPM2AncestralDiscreteScheduler", LEADING),
    ("lms", "karras", "LMSDiscreteScheduler", {"use_karras_sigmas": True}),
    ("ddpm", "leading", "DDPMScheduler", LEADING | {"clip_sample": False}),
    ("pndm", "leading", "PNDMScheduler", LEADING | {"skip_prk_steps": True}),
    ("unipc", "linspace", "UniPCMultistepScheduler", {}),
    ("deis", "linspace", "DEISMultistepScheduler", {}),
    ("dpmpp_sde", "linspace", "DPMSolverSDEScheduler", {"noise_sampler_seed": [11, 12]}),
    (
        "dpmpp_sde",
        "karras",
        "DPMSolverSDEScheduler",
        {"noise_sampler_seed": [11, 12], "use_karras_sigmas": True},
    ),
    ("tcd", "trailing", "TCDScheduler", {"clip_sample": False, "set_alpha_to_one": False}),
]


@pytest.mark.parametrize("guidance_scale", [1.0, 7.5])
@pytest.mark.parametrize(("sampler", "schedule", "kind", "config"), SETTINGS)
def test_text_to_image(
    sampler: SamplerName,
    schedule: ScheduleName,
    kind: str,
    config: dict[str, Any],
    guidance_scale: float,
) -> None:
    batch, positive, negative = 2, prompt(1), prompt(2)
    expected = pipeline("StableDiffusionPipeline", made_scheduler(kind, **(OFFSET | config)))(
        **prompts(positive, negative, batch),
        width=SIZE,
        height=SIZE,
        num_inference_steps=5,
        guidance_scale=guidance_scale,
        generator=generators(11, batch),
        # A pipeline tells its scheduler an eta of 0 unless it is given one.
        eta=0.3 if sampler == "tcd" else 0.0,
        output_type="latent",
    ).images
    found = ksampler(
        MODEL,
        positive,
        negative,
        empty_latent(width=SIZE, height=SIZE, batch_size=batch),
        seed=11,
        steps=5,
        guidance_scale=guidance_scale,
        sampler=sampler,
        schedule=schedule,
        pool=SmallPool(),
    )
    parity.agree("SD 1.x", f"{sampler} / {schedule}", found.samples, expected)


def test_the_comparison_notices_a_wrong_offset_and_a_missing_guidance() -> None:
    positive, negative = prompt(1), prompt(2)
    expected = pipeline(
        "StableDiffusionPipeline", made_scheduler("DDIMScheduler", **(DDIM | {"steps_offset": 0}))
    )(
        **prompts(positive, negative),
        width=SIZE,
        height=SIZE,
        num_inference_steps=5,
        generator=generators(11, 1),
        output_type="latent",
    ).images

    def found(guidance_scale: float) -> Tensor:
        return ksampler(
            MODEL,
            positive,
            negative,
            empty_latent(width=SIZE, height=SIZE),
            seed=11,
            steps=5,
            guidance_scale=guidance_scale,
            sampler="ddim",
            schedule="leading",
            pool=SmallPool(),
        ).samples

    assert relative_rms(found(7.5), expected) > 1e-3
    assert relative_rms(found(1.0), expected) > 1e-2


def test_decoded_picture() -> None:
    positive, negative = prompt(1), prompt(2)
    expected = pipeline(
        "StableDiffusionPipeline", made_scheduler("EulerDiscreteScheduler", **OFFSET)
    )(
        **prompts(positive, negative),
        width=SIZE,
        height=SIZE,
        num_inference_steps=3,
        generator=generators(4, 1),
        output_type="pt",
    ).images
    latents = ksampler(
        MODEL,
        positive,
        negative,
        empty_latent(width=SIZE, height=SIZE),
        seed=4,
        steps=3,
        schedule="linspace",
        pool=SmallPool(),
    )
    found = vae_decode(AUTOENCODER, latents, pool=SmallPool())
    parity.look_alike("SD 1.x", "euler / linspace", found.pixels, expected)


@pytest.mark.parametrize("strength", [0.3, 0.75, 1.0])
@pytest.mark.parametrize(
    ("sampler", "schedule", "kind", "config"), [SETTINGS[0], SETTINGS[3], SETTINGS[5], SETTINGS[8]]
)
def test_image_to_image(
    sampler: SamplerName, schedule: ScheduleName, kind: str, config: dict[str, Any], strength: float
) -> None:
    steps, batch, positive, negative = 8, 2, prompt(1), prompt(2)
    pixels = picture(batch=batch)
    expected = pipeline(
        "StableDiffusionImg2ImgPipeline", made_scheduler(kind, **(OFFSET | config))
    )(
        **prompts(positive, negative, batch),
        image=pixels * 2 - 1,
        strength=strength,
        num_inference_steps=steps,
        generator=generators(21, batch),
        output_type="latent",
    ).images
    pool = SmallPool()
    found = ksampler(
        MODEL,
        positive,
        negative,
        vae_encode(AUTOENCODER, Image(pixels), sample=True, seed=21, pool=pool),
        seed=21,
        steps=steps,
        sampler=sampler,
        schedule=schedule,
        start_step=steps - int(steps * strength),
        draws_before=1,
        pool=pool,
    )
    case = f"{sampler} / {schedule}, image to image"
    parity.agree("SD 1.x", case, found.samples, expected)


@pytest.mark.parametrize(
    ("strength", "start", "end"),
    [(1.0, 0.0, 1.0), (0.6, 0.0, 0.5), (1.4, 0.21, 1.0), (0.0, 0.0, 1.0)],
)
def test_controlnet(strength: float, start: float, end: float) -> None:
    positive, negative, hint = prompt(1), prompt(2), picture(9)
    made = pipeline(
        "StableDiffusionControlNetPipeline",
        made_scheduler("EulerDiscreteScheduler", **OFFSET),
        controlnet=small.controlnet(0),
    )
    expected = made(
        **prompts(positive, negative),
        image=hint,
        num_inference_steps=5,
        generator=generators(2, 1),
        controlnet_conditioning_scale=strength,
        control_guidance_start=start,
        control_guidance_end=end,
        output_type="latent",
    ).images
    controlled = control_net_apply(
        positive, negative, CONTROLNETS[0], Image(hint), strength=strength, start=start, end=end
    )

    def found(positive: Conditioning, negative: Conditioning) -> Tensor:
        return ksampler(
            MODEL,
            positive,
            negative,
            empty_latent(width=SIZE, height=SIZE),
            seed=2,
            steps=5,
            schedule="linspace",
            pool=SmallPool(),
        ).samples

    how = f"euler / linspace, ControlNet {strength:g} from {start:g} to {end:g}"
    parity.agree("SD 1.x", how, found(*controlled), expected)
    without = relative_rms(found(positive, negative), expected)
    assert without > 1e-2 if strength else without < TOLERANCE


def test_several_controlnets_add_up() -> None:
    positive, negative, hints = prompt(1), prompt(2), (picture(9, 2), picture(10, 2))
    made = pipeline(
        "StableDiffusionControlNetPipeline",
        made_scheduler("DPMSolverMultistepScheduler", **OFFSET, use_karras_sigmas=True),
        controlnet=[small.controlnet(0), small.controlnet(1)],
    )
    expected = made(
        **prompts(positive, negative, 2),
        image=list(hints),
        num_inference_steps=5,
        generator=generators(2, 2),
        controlnet_conditioning_scale=[0.8, 0.5],
        control_guidance_start=[0.0, 0.2],
        control_guidance_end=[0.8, 1.0],
        output_type="latent",
    ).images
    controlled = control_net_apply(
        positive, negative, CONTROLNETS[0], Image(hints[0]), strength=0.8, end=0.8
    )
    controlled = control_net_apply(
        *controlled, CONTROLNETS[1], Image(hints[1]), strength=0.5, start=0.2
    )
    found = ksampler(
        MODEL,
        *controlled,
        empty_latent(width=SIZE, height=SIZE, batch_size=2),
        seed=2,
        steps=5,
        sampler="dpmpp_2m",
        schedule="karras",
        pool=SmallPool(),
    )
    parity.agree("SD 1.x", "dpmpp_2m / karras, two ControlNets", found.samples, expected)
