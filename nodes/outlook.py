"""What can be told of sampling runs under way before anything is loaded: how far they are, what fits."""

from dataclasses import replace
from typing import Any

from engine.facts import has_unknown
from engine.node import UNKNOWN

from . import fitting, foresight
from .diffusion.pool import Pool
from .facts import LatentFacts, SamplerFacts, known
from .widgets import MOST_STEPS


def begun(
    *,
    model: Any,
    latents: Any,
    sampler: Any,
    schedule: Any,
    steps: Any,
    denoise: Any,
    start_step: Any,
    profile: Any,
    details: Any,
    sigmas: Any,
) -> Any:
    """What is known of a run that begins.

    Raises:
        InputError: The latents' mask does not fit them.
    """
    if latents is UNKNOWN:
        return UNKNOWN
    fitting.check_latent_mask(latents)
    count, clean = UNKNOWN, UNKNOWN
    if sigmas is None:
        count, clean = foresight.course(
            sampler, schedule, steps, denoise, start_step, profile=profile, details=details
        )
    elif sigmas is not UNKNOWN:
        count, clean = sigmas.steps, sigmas.ends_clean
    family = UNKNOWN if model is UNKNOWN else model.family
    return SamplerFacts(latents, family, profile, count, count, sampler, clean)


def stepped(
    *,
    model: Any,
    positive: Any,
    negative: Any,
    state: Any,
    count: Any,
    guidance_scale: Any,
    pool: Pool,
) -> tuple[Any, Any, Any]:
    """What is known of a run some steps further on, whether it is done, and of its step.

    Raises:
        InputError: Model, prompts, their ControlNets and the run's latents do not go together, or
            there is too little memory for them.
    """
    if state is UNKNOWN:
        return UNKNOWN, UNKNOWN, UNKNOWN
    if not has_unknown((model, state.family)):
        fitting.check_reader(state.family, model.family)
    if state.left is not UNKNOWN and state.left > 0:  # else perhaps no model is asked
        prompts = {"positive": positive, "negative": negative}
        latents = foresight.denoised(
            model,
            prompts,
            guidance_scale,
            state.latents,
            profile=state.profile,
            count=state.steps,
            origin="state",
            pool=pool,
        )
        state = replace(state, latents=latents)
    state = replace(state, left=_left(state.left, count))
    return state, UNKNOWN if state.left is UNKNOWN else state.left == 0, state.step


def _left(left: Any, count: Any) -> Any:
    """How many of the steps left are left when `count` more are taken."""
    if left == 0 or count == MOST_STEPS:
        return 0
    return UNKNOWN if has_unknown((left, count)) else max(0, left - count)


@known
def finished(state: SamplerFacts) -> LatentFacts:
    """What is known of a finished run's latents.

    Raises:
        InputError: Steps are left.
    """
    if not has_unknown((state.step, state.steps)):
        fitting.check_finished(state.step, state.steps)
    return state.latents


def rescheduled(*, state: Any, steps: Any) -> Any:
    """What is known of a run whose remaining steps are laid anew.

    Raises:
        InputError: None remain.
    """
    if state is UNKNOWN:
        return UNKNOWN
    if not has_unknown((state.step, state.steps)):
        fitting.check_unfinished(state.step, state.steps)
    total = UNKNOWN if has_unknown((state.step, steps)) else state.step + steps
    return replace(state, steps=total, left=steps)


@known
def read_back(state: SamplerFacts) -> LatentFacts:
    """What is known of a run's noisy latents."""
    return state.latents


@known
def put_in(state: SamplerFacts, latents: LatentFacts) -> SamplerFacts:
    """What is known of a run with other noisy latents.

    Raises:
        InputError: They are of another size or space.
    """
    return replace(state, latents=replace(_of_run(latents, state), mask=state.latents.mask))


def noised(*, state: Any, latents: Any, level: Any) -> Any:
    """What is known of latents that are brought to the noise of a run.

    Raises:
        InputError: They are of another size or space, or the run has taken no step.
    """
    if has_unknown((state, latents)):
        return UNKNOWN
    found = _of_run(latents, state)
    if level == "before" and state.step is not UNKNOWN:
        fitting.check_begun(state.step)
    return found


def _of_run(latents: LatentFacts, state: SamplerFacts) -> LatentFacts:
    fitting.check_run_latents(latents, state.latents)
    fitting.check_space(state.latents.space, latents.space, "the VAE", "latents")
    return replace(latents, space=latents.space or state.latents.space)
