"""Nodes that denoise latents."""

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import Field

from engine.errors import InputError
from engine.node import Progress, Waypoints, node, nowhere, silent

from . import fitting, foresight, outlook, workload
from .diffusion.pool import Pool, in_process
from .states import SamplerState, SamplingDetails, Sigmas
from .values import Conditioning, Latents, Model
from .widgets import Fraction, GuidanceScale, ProfileName, SamplerName, ScheduleName, Seed, Steps

if TYPE_CHECKING:
    from .diffusion.roles import Prompts

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


@node(
    "KSampler",
    category="sampling",
    lane="device",
    check=check_steps,
    infer=foresight.sampled,
    work=workload.of_sampling,
)
def ksampler(
    model: Model,
    positive: Conditioning,
    negative: Conditioning,
    latents: Latents,
    details: SamplingDetails | None = None,
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
    waypoints: Waypoints = nowhere,
) -> Latents:
    """Denoise latents under classifier-free guidance.

    Args:
        latents: Where to start; empty ones are noise alone. A mask limits what is repainted.
        details: Where to depart from the profile and from the sampler's own settings.
        steps: Denoising steps that a whole run takes.
        denoise: Fraction of the noise schedule to go through, always in `steps` steps. Below 1 it
            keeps part of the start; 0 keeps all of it.
        start_step: Steps to leave out at the noisy end, to keep part of the start. A diffusers
            `strength` is start_step = steps - int(steps * strength).
        profile: Whose noise, clock and mask rule; in diffusers' seed + k makes image k alone.
        draws_before: How often noise of the latents' size was already drawn from the seed: 1 if
            VAEEncode sampled with the same seed, as diffusers does. For the diffusers profile.
    """
    from .diffusion import roles

    state = start_sampling(
        model,
        latents,
        details,
        seed=seed,
        steps=steps,
        sampler=sampler,
        schedule=schedule,
        denoise=denoise,
        start_step=start_step,
        profile=profile,
        draws_before=draws_before,
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
    return finish_sampling(ended)


@node("StartSampling", category="sampling", check=check_steps, infer=outlook.begun)
def start_sampling(
    model: Model,
    latents: Latents,
    details: SamplingDetails | None = None,
    sigmas: Sigmas | None = None,
    *,
    seed: Seed = 0,
    steps: Steps = 20,
    sampler: SamplerName = "euler",
    schedule: ScheduleName = "karras",
    denoise: Fraction = 1.0,
    start_step: StartStep = 0,
    profile: ProfileName = "diffusers",
    draws_before: Draws = 0,
) -> SamplerState:
    """Noise latents and lay out the steps to denoise them in: the state that SampleSteps goes on from.

    Args:
        model: Its family says how noise and the model's clock belong together.
        latents: Where to start. Empty ones make a picture from noise alone; a mask limits what is
            repainted.
        details: Where to depart from the profile and from the sampler's own settings.
        sigmas: Noise levels to go through, instead of those that steps, schedule, denoise and
            start_step lead to.
        steps: Denoising steps that a whole run takes.
        denoise: Fraction of the noise schedule to go through, always in `steps` steps. Below 1 it
            keeps part of the start; 0 keeps all of it.
        start_step: Steps to leave out at the noisy end, which shortens the run and keeps part of
            the start.
        profile: Whose noise, clock and mask rule to follow.
        draws_before: How often noise of the latents' size was already drawn from the seed: 1 if
            VAEEncode sampled with the same seed, as diffusers does. For the diffusers profile.
    """
    from .diffusion import halts
    from .diffusion.settings import Settings

    settings = Settings(
        sampler,
        schedule,
        steps,
        denoise,
        start_step,
        profile,
        seed,
        draws_before,
        SamplingDetails() if details is None else details,
        sigmas,
    )
    return halts.begin(settings, model, latents)


class Sampled(NamedTuple):
    """What SampleSteps gives."""

    state: SamplerState
    done: bool
    step: int


@node(
    "SampleSteps", category="sampling", lane="device", infer=outlook.stepped, work=workload.of_steps
)
def sample_steps(
    model: Model,
    positive: Conditioning,
    negative: Conditioning,
    state: SamplerState,
    *,
    count: Steps = 1000,
    guidance_scale: GuidanceScale = 7.5,
    pool: Pool = in_process,
    progress: Progress = silent,
    waypoints: Waypoints = nowhere,
) -> Sampled:
    """Take some of a run's denoising steps: the next one, those up to a change, or all that remain.

    `done` is true once no step remains, `step` says how many of the whole run are taken.

    Args:
        model: May be another one than that of the steps before, if it reads the same latents.
        state: Where the run stands. A finished one stays as it is.
        count: Steps to take at most; left as it is, all that remain.
    """
    from .diffusion import roles

    fitting.check_reader(state.family, model.family)
    after = advanced(
        state,
        model,
        roles.Prompts.of(positive, negative, guidance_scale, model),
        count,
        origin="state",
        pool=pool,
        progress=progress,
        waypoints=waypoints,
    )
    return Sampled(after, after.done, after.step)


@node("FinishSampling", category="sampling", infer=outlook.finished)
def finish_sampling(state: SamplerState) -> Latents:
    """Take the latents out of a finished run.

    Args:
        state: With no step left to take.
    """
    import torch

    from .diffusion import halts, runs

    fitting.check_finished(state.step, state.steps)
    cpu = torch.device("cpu")
    samples = runs.Run.of(state, cpu).result(halts.point(state, cpu))
    return Latents(samples, state.kept.mask if state.kept is not None else None)


@node("RescheduleSampling", category="sampling", infer=outlook.rescheduled)
def reschedule_sampling(
    state: SamplerState, *, steps: Steps = 20, schedule: ScheduleName = "karras"
) -> SamplerState:
    """Lay the noise levels that remain of a run anew, to go on in more steps or fewer.

    Args:
        state: Of a run with steps left to take. Those taken stay as they are.
        steps: Steps to take from here to the end.
        schedule: How to space them.
    """
    from .diffusion import halts

    return halts.rescheduled(state, steps, schedule)


def advanced(
    state: SamplerState,
    model: Model,
    prompts: "Prompts",
    count: int,
    *,
    origin: str,
    pool: Pool,
    progress: Progress,
    waypoints: Waypoints,
) -> SamplerState:
    """The state at most `count` steps further on; from the last waypoint on its way, if there is one."""
    import torch

    from .diffusion import halts, runs, watching
    from .diffusion.places import anchor
    from .diffusion.previews import Previewer

    previewer = Previewer(pool, model)
    begun, last = state.step, min(state.step + count, state.steps)
    # A single step is over before a waypoint could spare any of it.
    route = waypoints(state, model, prompts) if last > begun + 1 else nowhere()
    stored = route.last(last)
    if stored is not None:
        state = halts.continued(state, stored, last)
        if state.step > begun:
            estimate = halts.point(state, torch.device("cpu")).estimate
            progress(state.step - begun, last - begun, previewer.of(estimate))
    if state.step == last:
        return state
    with torch.inference_mode(), ExitStack() as borrowed:
        unet: Any = borrowed.enter_context(pool.borrow(model))
        device = anchor(unet).device
        run, point = runs.Run.of(state, device), halts.point(state, device)
        denoiser = run.denoiser(
            unet,
            prompts,
            lambda recipe: borrowed.enter_context(pool.borrow(recipe)),
            origin=origin,
            remedies=(pool.let_go, partial(pool.send_away, unet)),
        )
        watch = watching.Watch(unet, model.prediction_type)
        while point.step < last:
            point = run.advance(point, denoiser)
            watch.saw(point)
            route.offer(point.step, point.at_rest)
            progress(point.step - begun, last - begun, previewer.of(point.estimate))
        watch.check()
        ended = point.at_rest()
    return halts.halted(state, ended)
