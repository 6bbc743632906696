"""Halts of a run: the states that it begins in, rests in between steps, and goes on from."""

from dataclasses import replace
from functools import partial
from typing import Any

import torch

from nodes import facts, fitting
from nodes.states import SamplerState
from nodes.values import Latents, Model
from nodes.widgets import ScheduleName

from . import noise, samplers, schedules
from .brownian import BrownianTree
from .noise import NoiseStream
from .samplers import Point
from .schedules import Schedule
from .settings import Settings, trained


def begin(settings: Settings, model: Model, latents: Latents) -> SamplerState:
    """The state that a run starts in.

    Args:
        settings: What to do.
        model: Says how noise and the model's clock belong together.
        latents: Where to start. All zeros are empty: the run makes a picture from noise alone.

    Raises:
        InputError: The latents' mask does not fit them, or see `Settings.planned`.
    """
    samples = latents.samples.to("cpu", torch.float32)
    mask, details = latents.mask, settings.details
    fitting.check_latent_mask(facts.of(latents))
    known = trained(model)
    schedule = settings.planned(known)
    drawn, stream = noise.initial(
        details.noise or settings.profile,
        settings.seed,
        samples.shape,
        draws_before=settings.draws_before,
    )
    scale = noise.start_scale(
        schedule,
        float(known.sigmas[-1]),
        empty=settings.whole and not bool(samples.any()),
        sampler=settings.sampler,
        spacing=settings.schedule,
        profile=settings.profile,
        rule=details.start_scale,
    )
    return SamplerState(
        settings.sampler,
        settings.profile,
        model.family,
        schedule.sigmas,
        schedule.timesteps,
        samples + scale * drawn if schedule.steps else samples,
        drawn,
        stream.states,
        kept=None if mask is None else Latents(samples, mask),
        details=details,
        tree=_tree(settings, schedule, samples.shape[0]),
        zero_snr=model.zero_snr,
        distilled=model.distilled,
    )


def _tree(settings: Settings, schedule: Schedule, batch: int) -> BrownianTree | None:
    """What the noise between the levels of a run comes from, if it is not drawn."""
    details = settings.details
    always = settings.sampler == "dpmpp_sde" or settings.profile == "comfyui"
    brownian = always if details.step_noise is None else details.step_noise == "brownian"
    levels = [sigma for sigma in schedule.sigmas if sigma > 0]
    if not (brownian and settings.sampler in samplers.BROWNIAN and levels):
        return None
    alone = (details.noise or settings.profile) == "comfyui"
    seeds = tuple((settings.seed + index) % noise.SEEDS for index in range(1 if alone else batch))
    return BrownianTree(seeds, min(levels), max(levels))


def point(state: SamplerState, device: torch.device) -> Point:
    """Where a state stands, with its latents on a device."""
    denoised = None if state.denoised is None else state.denoised.to(device)
    history = tuple(tensor.to(device) for tensor in state.history)
    stream = NoiseStream(state.generators, state.tree)
    return Point(state.x.to(device), stream, state.step, denoised, history)


def halted(state: SamplerState, reached: Point) -> SamplerState:
    """The state of the same run at a point that is `at_rest`."""
    return replace(
        state,
        x=reached.x,
        generators=reached.noise.states,
        step=reached.step,
        denoised=reached.denoised,
        history=reached.history,
    )


def continued(state: SamplerState, stored: tuple[int, object], most: int) -> SamplerState:
    """The state at a stored point of its run; the state itself if what is stored is no such point.

    Args:
        state: Where the run stands.
        stored: The step that a point was stored for, and what was read back.
        most: The step to go to at most.
    """
    step, found = stored
    if not (isinstance(found, Point) and found.step == step and state.step < step <= most):
        return state
    shapes = {
        tensor.shape for tensor in (found.x, found.denoised, *found.history) if tensor is not None
    }
    remembered = samplers.SAMPLERS[state.sampler].history(step)
    whole = (
        found.denoised is not None
        and len(found.history) == remembered
        and len(found.noise.states) == len(state.generators)
    )
    return halted(state, found) if whole and shapes == {state.x.shape} else state


def rescheduled(state: SamplerState, steps: int, schedule: ScheduleName) -> SamplerState:
    """The same run with its remaining noise levels laid anew in `steps` steps.

    Raises:
        InputError: No step remains, or there are no such levels.
    """
    fitting.check_unfinished(state.step, state.steps)
    known = trained(state)
    whose: Any = {"sampler": state.sampler, "profile": state.profile}
    plan = schedules.rest(
        partial(schedules.schedule, schedule, known, details=state.details, **whose),
        state.sigmas[state.step],
        state.timesteps[state.step],
        steps,
        most=schedules.most_steps(schedule, known, **whose),
    )
    tree = state.tree
    if tree is not None:
        # Another interval is another motion: of other seeds, so that none of its noise came before.
        seeds = tuple((seed + (state.step << 32)) % noise.SEEDS for seed in tree.seeds)
        low = min(sigma for sigma in plan.sigmas if sigma > 0)
        tree = BrownianTree(seeds, low, plan.sigmas[0]) if state.step else replace(tree, low=low)
    # What is past stays: multistep samplers read the last step's length from it.
    return replace(
        state,
        sigmas=(*state.sigmas[: state.step], *plan.sigmas),
        timesteps=(*state.timesteps[: state.step], *plan.timesteps),
        tree=tree,
    )
