"""Nodes that denoise through noise levels of one's own, by a sampler chosen elsewhere."""

from dataclasses import replace
from typing import Any, NamedTuple

from engine.node import UNKNOWN, Progress, Waypoints, node, nowhere, silent

from . import foresight, workload
from .diffusion.pool import Pool, in_process
from .facts import same
from .noisy_latents import read_noisy_latents
from .sampling import advanced, finish_sampling, start_sampling
from .states import SamplingDetails, Sigmas
from .values import Conditioning, Latents, Model
from .widgets import GuidanceScale, ProfileName, SamplerName, Seed


@node("ChooseSampler", category="sampling", infer=same("sampler"))
def choose_sampler(*, sampler: SamplerName = "euler") -> SamplerName:
    """Choose a sampler once, for several nodes."""
    return sampler


class Denoised(NamedTuple):
    """What SampleSigmas gives."""

    latents: Latents
    denoised: Latents


def _through(
    *,
    model: Any,
    positive: Any,
    negative: Any,
    latents: Any,
    sigmas: Any,
    guidance_scale: Any,
    profile: Any,
    pool: Pool,
) -> tuple[Any, Any]:
    count = UNKNOWN if sigmas is UNKNOWN else sigmas.steps
    if count is UNKNOWN or count < 1:
        return UNKNOWN, UNKNOWN  # perhaps no model is asked
    found = foresight.denoised(
        model,
        {"positive": positive, "negative": negative},
        guidance_scale,
        latents,
        profile=profile,
        count=count,
        origin="latents",
        pool=pool,
    )
    return found, found


@node("SampleSigmas", category="sampling", lane="device", infer=_through, work=workload.of_levels)
def sample_sigmas(
    model: Model,
    positive: Conditioning,
    negative: Conditioning,
    latents: Latents,
    sigmas: Sigmas,
    *,
    details: SamplingDetails | None = None,
    seed: Seed = 0,
    add_noise: bool = True,
    guidance_scale: GuidanceScale = 7.5,
    sampler: SamplerName = "euler",
    profile: ProfileName = "diffusers",
    pool: Pool = in_process,
    progress: Progress = silent,
    waypoints: Waypoints = nowhere,
) -> Denoised:
    """Denoise latents through noise levels of one's own.

    Where the levels end above 0, `latents` hold the noise of the last one, for another run to go on from;
    `denoised` is the model's last estimate of the clean ones.

    Args:
        latents: Where to start. A mask limits what is repainted.
        sigmas: The levels, one more than there are steps.
        details: Where to depart from the profile and from the sampler's own settings.
        add_noise: Off for latents that hold the noise of the first level already.
        profile: Whose noise, clock and mask rule to follow.
    """
    import torch

    from .diffusion import roles

    state = start_sampling(
        model, latents, details, sigmas, seed=seed, sampler=sampler, profile=profile
    )
    if not add_noise:
        state = replace(
            state,
            x=latents.samples.to("cpu", torch.float32),
            noise=torch.zeros_like(state.noise),
        )
    ended = advanced(
        state,
        model,
        roles.Prompts.of(positive, negative, guidance_scale, model),
        state.steps,
        origin="latents",
        pool=pool,
        progress=progress,
        waypoints=waypoints,
    )
    result = read_noisy_latents(ended) if ended.sigmas[-1] > 0 else finish_sampling(ended)
    estimate = result.samples if ended.denoised is None else ended.denoised
    return Denoised(result, result.with_samples(estimate))
