"""Where diffusers and ComfyUI differ: each of the details that a profile sets, as each of both has it.

diffusers is run; ComfyUI's rules are written out here from their definitions.
"""

import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from diffusers.schedulers.scheduling_utils import AysSchedules
from scipy import stats
from torch import Tensor

from nodes.diffusion import halts
from nodes.diffusion.pool import Pool
from nodes.folders import Folders
from nodes.latents import empty_latent, set_latent_mask
from nodes.loaders import load_checkpoint
from nodes.sampling import ksampler, start_sampling
from nodes.sampling_details import sampling_rules
from nodes.states import SamplerState
from nodes.text import clip_encode, clip_skip
from nodes.vae import vae_encode
from nodes.values import Image, Latents, Mask
from nodes.widgets import ProfileName, SamplerName, ScheduleName
from tests.nodes import parity, small
from tests.nodes.conftest import Tiny, tokenizer
from tests.nodes.references import (
    DDIM,
    OFFSET,
    SIZE,
    generators,
    made_scheduler,
    picture,
    pipeline,
    prompts,
)
from tests.nodes.small import AUTOENCODER, MODEL, SmallPool, prompt
from tests.nodes.tiny import models
from tests.nodes.tiny.pipelines import NEGATIVE, PROMPT, latents, opened, scheduler

pytestmark = [pytest.mark.filterwarnings("ignore")]
FAMILY, COMFYUI = "Details of the profiles", "ComfyUI's rules"
POSITIVE, NEGATIVES = prompt(1), prompt(2)
EMPTY = empty_latent(width=SIZE, height=SIZE, batch_size=2)
SHAPE = (2, 4, SIZE // 8, SIZE // 8)
STEPS = 7
ALIGNED: Any = AysSchedules


@cache
def table() -> Tensor:
    """ComfyUI's `sigmas` of a model, one for each timestep."""
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    kept = torch.cumprod(1 - betas, 0)
    return ((1 - kept) / kept).sqrt()


def at(t: Tensor) -> Tensor:
    """ComfyUI's `sigma(timestep)`, between the table's entries."""
    low, share = t.floor().long(), t.frac()
    logs = table().log()
    return ((1 - share) * logs[low] + share * logs[t.ceil().long()]).exp()


def started(profile: ProfileName, schedule: ScheduleName = "karras", **more: Any) -> SamplerState:
    given: dict[str, Any] = {"seed": 11, "steps": STEPS} | more
    start = given.pop("latents", EMPTY)
    return start_sampling(
        MODEL, start, given.pop("details", None), profile=profile, schedule=schedule, **given
    )


def sampled(details: Any = None, start: Latents = EMPTY, **more: Any) -> Tensor:
    given: dict[str, Any] = {"seed": 11, "steps": 5, "pool": SmallPool()} | more
    return ksampler(MODEL, POSITIVE, NEGATIVES, start, details, **given).samples


def by_diffusers(plan: Any, kind: str = "StableDiffusionPipeline", **more: Any) -> Tensor:
    made = pipeline(kind, plan)
    found: Tensor = made(
        **prompts(POSITIVE, NEGATIVES, 2), generator=generators(11, 2), output_type="latent",
        **{"width": SIZE, "height": SIZE, "num_inference_steps": 5} | more,
    ).images  # fmt: skip
    return found


def agree(how: str, ours: Sequence[float] | Tensor, theirs: Any, what: str, by: str) -> None:
    pair = [torch.as_tensor(each, dtype=torch.float64) for each in (ours, theirs)]
    parity.agree(FAMILY, how, *pair, what=what, by=by)


DIFFUSERS: dict[ScheduleName, dict[str, Any]] = {
    "linspace": {"timestep_spacing": "linspace"},
    "leading": {"timestep_spacing": "leading"},
    "trailing": {"timestep_spacing": "trailing"},
    "karras": {"use_karras_sigmas": True},
    "exponential": {"use_exponential_sigmas": True},
    "beta": {"use_beta_sigmas": True},
}


@pytest.mark.parametrize("name", DIFFUSERS)
def test_schedule_of_diffusers(name: ScheduleName) -> None:
    plan = made_scheduler("EulerDiscreteScheduler", **OFFSET | DIFFUSERS[name])
    plan.set_timesteps(STEPS)
    agree(f"1. schedule {name}", started("diffusers", name).sigmas, plan.sigmas, "noise levels", "diffusers")  # fmt: skip


def comfyui_levels(name: ScheduleName, steps: int) -> list[float]:
    sigmas = table()
    low, high = float(sigmas[0]), float(sigmas[-1])
    if name in {"normal", "sgm_uniform"}:
        ends = torch.linspace(999, 0, steps + (name == "sgm_uniform"), dtype=torch.float64)
        return [*at(ends[:steps]).tolist(), 0.0]
    if name == "karras":
        ramp = torch.linspace(0, 1, steps, dtype=torch.float64)
        first, last = high ** (1 / 7), low ** (1 / 7)
        return [*((first + ramp * (last - first)) ** 7).tolist(), 0.0]
    if name == "exponential":
        return [*torch.linspace(math.log(high), math.log(low), steps, dtype=torch.float64).exp().tolist(), 0.0]  # fmt: skip
    if name == "simple":
        return [*(float(sigmas[-(1 + int(i * 1000 / steps))]) for i in range(steps)), 0.0]
    if name == "ddim_uniform":
        found = [float(sigmas[i]) for i in range(1, 1000, 1000 // steps)]
        return [*found[::-1][-steps:], 0.0]
    if name == "beta":
        shares = stats.beta.ppf(1 - np.linspace(0, 1, steps, endpoint=False), 0.6, 0.6)
        return [*(float(sigmas[int(t)]) for t in np.rint(shares * 999)), 0.0]
    assert name == "turbo"
    stamps = [1000 // 10 * i - 1 for i in range(10, 0, -1)]
    return [*(float(sigmas[t]) for t in stamps[:steps]), 0.0]


COMFYUI_SCHEDULES: tuple[ScheduleName, ...] = (
    "normal", "karras", "exponential", "simple", "sgm_uniform", "ddim_uniform", "beta", "turbo",
)  # fmt: skip


@pytest.mark.parametrize("name", COMFYUI_SCHEDULES)
def test_schedule_of_comfyui(name: ScheduleName) -> None:
    found = started("comfyui", name, steps=5).sigmas
    agree(f"1. schedule {name}", found, comfyui_levels(name, 5), "noise levels", COMFYUI)


def test_schedule_of_nvidia() -> None:
    found = started("diffusers", "align_your_steps", steps=10).sigmas
    theirs = ALIGNED["StableDiffusionSigmas"]
    agree("1. schedule align_your_steps", found, theirs, "noise levels", "diffusers")


@pytest.mark.parametrize("spacing", ["leading", "linspace"])
def test_start_scale_of_diffusers(spacing: ScheduleName) -> None:
    plan = made_scheduler("EulerDiscreteScheduler", **OFFSET, timestep_spacing=spacing)
    plan.set_timesteps(STEPS)
    noise = torch.cat([torch.randn((1, *SHAPE[1:]), generator=each) for each in generators(11, 2)])
    expected = noise * plan.init_noise_sigma
    how = f"2. start scale, {spacing}"
    agree(how, started("diffusers", spacing).x, expected, "start", "diffusers")


@pytest.mark.parametrize("schedule", ["normal", "ddim_uniform"])
def test_start_scale_of_comfyui(schedule: ScheduleName) -> None:
    state = started("comfyui", schedule)
    sigma = comfyui_levels(schedule, STEPS)[0]
    at_most = math.isclose(sigma, float(table()[-1]), rel_tol=1e-5)
    noise = torch.randn(SHAPE, generator=torch.Generator().manual_seed(11))
    expected = noise * (math.sqrt(1 + sigma**2) if at_most else sigma)
    agree(f"2. start scale, {schedule}", state.x, expected, "start", COMFYUI)


@pytest.mark.parametrize(
    ("sampler", "kind"),
    [("euler", "EulerDiscreteScheduler"), ("dpmpp_2m", "DPMSolverMultistepScheduler")],
)
def test_clock_of_diffusers(sampler: SamplerName, kind: str) -> None:
    plan = made_scheduler(kind, **OFFSET, use_karras_sigmas=True)
    plan.set_timesteps(STEPS)
    found = started("diffusers", sampler=sampler).timesteps
    agree(f"3. clock, {sampler} / karras", found, plan.timesteps, "timesteps", "diffusers")


def test_clock_of_comfyui() -> None:
    levels = torch.tensor(comfyui_levels("karras", STEPS)[:-1], dtype=torch.float64)
    expected = (levels.log()[:, None] - table().log()).abs().argmin(1)
    found = started("comfyui").timesteps
    agree("3. clock, euler / karras", found, expected, "timesteps", COMFYUI)


def step_noise(state: SamplerState) -> Tensor:
    return halts.point(state, torch.device("cpu")).noise.draw(SHAPE)[0]


def test_noise_of_diffusers() -> None:
    state, streams = started("diffusers"), generators(11, 2)
    for how, found in (("start", state.noise), ("first step", step_noise(state))):
        expected = torch.cat([torch.randn((1, *SHAPE[1:]), generator=each) for each in streams])
        by = "diffusers with a list of generators"
        agree(f"4. noise, {how}", found, expected, "noise", by)


def test_noise_of_comfyui() -> None:
    state = started("comfyui")
    for how, found, seed in (("start", state.noise, 11), ("first step", step_noise(state), 12)):
        expected = torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed))
        agree(f"4. noise, {how}", found, expected, "noise", COMFYUI)


@pytest.mark.parametrize("strength", [0.5, 0.8])
def test_denoise_rule_of_diffusers(strength: float) -> None:
    plan = made_scheduler("EulerDiscreteScheduler", **OFFSET, timestep_spacing="leading")
    made: Any = pipeline("StableDiffusionImg2ImgPipeline", plan)
    plan.set_timesteps(STEPS)
    expected = [*made.get_timesteps(STEPS, strength, "cpu")[0].tolist()]
    details = sampling_rules(denoise_rule="shorter")
    found = started("diffusers", "leading", details=details, denoise=strength).timesteps
    agree(f"5. strength {strength:g}", found, expected, "timesteps", "diffusers")


@pytest.mark.parametrize("denoise", [0.5, 0.8])
def test_denoise_rule_of_comfyui(denoise: float) -> None:
    expected = comfyui_levels("normal", int(STEPS / denoise))[-(STEPS + 1) :]
    found = started("comfyui", "normal", denoise=denoise).sigmas
    agree(f"5. denoise {denoise:g}", found, expected, "noise levels", COMFYUI)


def test_mask_rule_of_diffusers() -> None:
    mask = torch.zeros(1, 1, SIZE, SIZE)
    mask[..., 16:48, 24:56] = 1
    pixels = picture(batch=2)
    expected = by_diffusers(
        made_scheduler("EulerDiscreteScheduler", **OFFSET, timestep_spacing="leading"),
        "StableDiffusionInpaintPipeline", image=pixels * 2 - 1, mask_image=mask, strength=0.8,
    )  # fmt: skip
    start = vae_encode(AUTOENCODER, Image(pixels), sample=True, seed=11, pool=SmallPool())
    found = sampled(
        sampling_rules(mask_rule="ahead"), set_latent_mask(start, Mask(mask)),
        schedule="leading", start_step=1, draws_before=1,
    )  # fmt: skip
    agree("6. mask, ahead", found, expected, "final latents", "diffusers")


@pytest.mark.parametrize(
    ("sampler", "kind", "config", "level"),
    [
        ("ddim", "DDIMScheduler", DDIM | {"set_alpha_to_one": True}, "zero"),
        ("ddim", "DDIMScheduler", DDIM, "lowest"),
        ("dpmpp_2m", "DPMSolverMultistepScheduler", OFFSET, "zero"),
        ("dpmpp_2m", "DPMSolverMultistepScheduler", OFFSET | {"final_sigmas_type": "sigma_min"}, "lowest"),
        # diffusers' own bh1 is NaN in a step to no noise.
        ("unipc_bh1", "UniPCMultistepScheduler", OFFSET | {"final_sigmas_type": "sigma_min", "solver_type": "bh1"}, "lowest"),
    ],
)  # fmt: skip
def test_last_level_of_diffusers(
    sampler: SamplerName, kind: str, config: dict[str, Any], level: Any
) -> None:
    # In fewer than 15, diffusers takes DPM-Solver's last step by the first order.
    steps = 15
    plan = made_scheduler(kind, **config | {"timestep_spacing": "leading"})
    expected = by_diffusers(plan, num_inference_steps=steps)
    rules = sampling_rules(last_level=level)
    found = sampled(rules, sampler=sampler, schedule="leading", steps=steps)
    how = f"7. last level {level}, {sampler} / leading"
    agree(how, found, expected, "final latents", "diffusers")


@pytest.mark.parametrize(("sampler", "last"), [("ddim", 0.0), ("unipc", 0.001)])
def test_last_level_of_comfyui(sampler: SamplerName, last: float) -> None:
    found = started("comfyui", "normal", sampler=sampler).sigmas
    longer = comfyui_levels("normal", STEPS + (sampler == "unipc"))
    expected = [*longer[:STEPS], last]
    agree(f"7. last level, {sampler}", found, expected, "noise levels", COMFYUI)


def test_what_a_vae_encodes() -> None:
    pixels = picture(batch=2)
    with torch.no_grad():
        spread = small.autoencoder().encode(pixels * 2 - 1).latent_dist
    each = [torch.randn((1, *SHAPE[1:]), generator=stream) for stream in generators(11, 2)]
    drawn = (spread.mean + spread.std * torch.cat(each)) * AUTOENCODER.scaling_factor
    mode = spread.mode() * AUTOENCODER.scaling_factor
    for sample, expected, by in ((True, drawn, "diffusers"), (False, mode, COMFYUI)):
        found = vae_encode(AUTOENCODER, Image(pixels), sample=sample, seed=11, pool=SmallPool())
        word = "a sample" if sample else "the mode"
        agree(f"8. VAE encodes {word}", found.samples, expected, "latents", by)


@pytest.mark.parametrize("both", [False, True])
def test_clip_skip(both: bool, tiny: Tiny, folders: Folders, pool: Pool) -> None:
    parts = tiny.pipeline()

    def told(text: str, *, skipped: bool) -> Tensor:
        ids = parts.tokenizer(text, padding="max_length", max_length=77, return_tensors="pt")
        encoder: Any = parts.text_encoder
        with torch.no_grad():
            states = encoder(ids.input_ids, output_hidden_states=True).hidden_states
            made: Tensor = encoder.final_layer_norm(states[-2 if skipped else -1])
        return made

    kind: Any = diffusers.StableDiffusionPipeline
    made = kind(
        vae=parts.vae, text_encoder=None, tokenizer=None, unet=parts.unet, safety_checker=None,
        feature_extractor=None, requires_safety_checker=False, scheduler=scheduler(),
    )  # fmt: skip
    expected = latents(
        made, prompt_embeds=told(PROMPT, skipped=True), width=SIZE, height=SIZE,
        negative_prompt_embeds=told(NEGATIVE, skipped=both),
    )  # fmt: skip
    loaded = load_checkpoint(checkpoint=tiny.checkpoint, folders=folders)
    plain = loaded.text_encoder
    skipping = clip_skip(plain, layers=1)
    positive = clip_encode(skipping, text=PROMPT, pool=pool)
    negative = clip_encode(skipping if both else plain, text=NEGATIVE, pool=pool)
    start = empty_latent(width=SIZE, height=SIZE)
    found = ksampler(
        loaded.model, positive, negative, start, seed=11, steps=4, schedule="leading", pool=pool
    ).samples
    words, by = ("both prompts", COMFYUI) if both else ("the positive prompt", "diffusers' formula")
    agree(f"9. clip skip of {words}", found, expected, "final latents", by)


@pytest.mark.parametrize("zeros", [True, False])
def test_no_negative_prompt(zeros: bool, tmp_path: Path) -> None:
    made = opened("sdxl", tmp_path)
    kind: Any = diffusers.StableDiffusionXLPipeline
    theirs = kind(
        vae=models.vae("sdxl"), unet=models.unet("sdxl"), text_encoder=models.clip_l(),
        tokenizer=tokenizer(), text_encoder_2=models.big_g(), tokenizer_2=tokenizer("!"),
        scheduler=scheduler(), add_watermarker=False, force_zeros_for_empty_prompt=zeros,
    )  # fmt: skip
    expected = latents(theirs, prompt=PROMPT, width=SIZE, height=SIZE, guidance_scale=5.0)
    encoder = made.checkpoint.text_encoder
    found = ksampler(
        made.checkpoint.model, clip_encode(encoder, text=PROMPT, pool=made.pool),
        clip_encode(encoder, zero_if_empty=zeros, pool=made.pool),
        empty_latent(width=SIZE, height=SIZE), seed=11, steps=4, guidance_scale=5.0,
        schedule="leading", pool=made.pool,
    ).samples  # fmt: skip
    words = "zeros" if zeros else "the encoded empty prompt, as ComfyUI has it"
    agree(f"10. no negative prompt is {words}", found, expected, "final latents", "diffusers")
