"""Nodes for the noisy latents of a sampling run that is under way."""

from dataclasses import replace
from typing import Literal

from engine.errors import InputError
from engine.node import node

from .values import Latents, SamplerState

Level = Literal["reached", "before"]


@node("ReadNoisyLatents", category="sampling")
def read_noisy_latents(state: SamplerState) -> Latents:
    """Read the latents of a run as they are: clean ones plus the noise that is left.

    Args:
        state: Of any step.
    """
    return Latents(state.x, None if state.kept is None else state.kept.mask)


@node("SetNoisyLatents", category="sampling")
def set_noisy_latents(state: SamplerState, latents: Latents) -> SamplerState:
    """Have a run go on from other latents, at the noise that it has reached.

    Args:
        state: The run, which keeps its steps, its noise to come and what its sampler remembers.
        latents: Noisy ones, such as those of ReadNoisyLatents changed. Their mask is not read.
    """
    _check_size(state, latents)
    return replace(state, x=latents.samples)


@node("NoiseLatents", category="sampling")
def noise_latents(state: SamplerState, latents: Latents, *, level: Level = "reached") -> Latents:
    """Bring clean latents to the noise of a run, with the noise that the run started with.

    Args:
        state: The run.
        latents: Clean ones of the run's size.
        level: "reached" is the noise that the run has now. "before" is that before its last step,
            in the scale that the next one reads: what blended latents keep beside the mask.
    """
    from .diffusion import blend
    from .diffusion.schedules import Schedule

    _check_size(state, latents)
    samples, noise = latents.samples, state.noise
    if level == "reached":
        return latents.with_samples(blend.noised(samples, noise, state.sigmas[state.step]))
    if state.step == 0:
        raise InputError(
            "the state has taken no step yet, so there is no noise before its last one: "
            'put SampleSteps before it, or set level to "reached"',
            code="no_steps",
            input="level",
            hint="reached",
        )
    schedule = Schedule(state.sigmas, state.timesteps)
    return latents.with_samples(
        blend.behind(samples, noise, schedule, state.step - 1, state.sampler)
    )


def _check_size(state: SamplerState, latents: Latents) -> None:
    if latents.samples.shape != state.x.shape:
        raise InputError(
            f"the latents are {tuple(latents.samples.shape)}, those of the run {tuple(state.x.shape)}: "
            "bring them to one size with LatentUpscale and to one number with RepeatLatent",
            code="size_mismatch",
            input="latents",
        )
