"""Nodes that denoise latents."""

from contextlib import ExitStack
from functools import partial
from typing import Annotated, Any

from pydantic import Field

from engine.errors import InputError
from engine.node import Progress, node, silent

from . import foresight
from .diffusion.pool import Pool, in_process
from .values import (
    Conditioning,
    Fraction,
    GuidanceScale,
    Latents,
    Model,
    ProfileName,
    SamplerName,
    ScheduleName,
    Seed,
    Steps,
)

StartStep = Annotated[int, Field(ge=0, le=1000)]
Draws = Annotated[int, Field(ge=0, le=16)]


def check_steps(steps: int, start_step: int, denoise: float) -> None:
    """Raise `InputError` unless there is a schedule of so many steps."""
    if start_step > steps:
        raise InputError(
            f"start_step is {start_step} of {steps} steps: give a number from 0 to {steps}",
            input="start_step",
            hint=str(steps),
        )
    if denoise > 0 and steps / denoise > 1000:
        raise InputError(
            f"{steps} steps at a denoise of {denoise:g} are {steps / denoise:.0f} steps of a whole"
            f" schedule, and a model knows 1000: take {int(1000 * denoise)} steps or fewer",
            input="steps",
            hint=str(int(1000 * denoise)),
        )


@node("KSampler", category="sampling", lane="device", check=check_steps, infer=foresight.sampled)
def ksampler(
    model: Model,
    positive: Conditioning,
    negative: Conditioning,
    latents: Latents,
    *,
    seed: Seed = 0,
    steps: Steps = 20,
    guidance_scale: GuidanceScale = 7.5,
    sampler: SamplerName = "euler",
    schedule: ScheduleName = "karras",
    denoise: Fraction = 1.0,
    start_step: StartStep = 0,
    profile: ProfileName = "diffusers",
    draws_before: Draws = 0,
    pool: Pool = in_process,
    progress: Progress = silent,
) -> Latents:
    """Denoise latents under classifier-free guidance.

    Args:
        latents: Where to start. Empty ones make a picture from noise alone; a mask limits what is
            repainted.
        steps: Denoising steps that a whole run takes.
        denoise: Fraction of the noise schedule to go through, always in `steps` steps. Below 1 it
            keeps part of the start; 0 keeps all of it.
        start_step: Steps to leave out at the noisy end, which shortens the run and keeps part of
            the start. A diffusers `strength` is start_step = steps - int(steps * strength).
        profile: Whose noise, clock and mask rule to follow. In diffusers', image k of a batch is
            the one that seed + k makes alone.
        draws_before: How often noise of the latents' size was already drawn from the seed: 1 if
            VAEEncode sampled with the same seed, as diffusers does. For the diffusers profile.
    """
    import torch

    from .diffusion import previews, runs
    from .diffusion.families import FAMILIES
    from .diffusion.schedules import NoiseSchedule

    family = FAMILIES[model.family]
    trained = NoiseSchedule.scaled_linear(family.beta_start, family.beta_end, family.train_steps)
    settings = runs.Settings(
        sampler, schedule, steps, denoise, start_step, profile, seed, draws_before
    )
    total = settings.planned(trained).steps
    if total == 0:
        return latents
    prompts = runs.Prompts(positive, negative, guidance_scale, model.prediction_type)
    with torch.inference_mode(), ExitStack() as borrowed:
        unet: Any = borrowed.enter_context(pool.borrow(model))
        run, state = runs.begin(settings, trained, latents, unet.device)
        denoiser = run.denoiser(
            unet, prompts, lambda recipe: borrowed.enter_context(pool.borrow(recipe))
        )
        while state.step < total:
            state = run.advance(state, denoiser)
            progress(state.step, total, partial(previews.rgb, state.estimate))
        samples = run.result(state).cpu()
    # An inference tensor could not be trained on.
    return latents.with_samples(samples.clone())
