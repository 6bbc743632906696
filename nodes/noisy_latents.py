"""Nodes for the noisy latents of a sampling run that is under way."""

from dataclasses import replace
from typing import Literal

from engine.node import node

from . import facts, fitting, outlook
from .states import SamplerState
from .values import Latents

Level = Literal["reached", "before"]


@node("ReadNoisyLatents", category="sampling", infer=outlook.read_back)
def read_noisy_latents(state: SamplerState) -> Latents:
    """Read the latents of a run as they are: clean ones plus the noise that is left.

    Args:
        state: Of any step.
    """
    return Latents(state.x, None if state.kept is None else state.kept.mask)


@node("SetNoisyLatents", category="sampling", infer=outlook.put_in)
def set_noisy_latents(state: SamplerState, latents: Latents) -> SamplerState:
    """Have a run go on from other latents, at the noise that it has reached.

    Args:
        state: The run, which keeps its steps, its noise to come and what its sampler remembers.
        latents: Noisy ones, such as those of ReadNoisyLatents changed. Their mask is not read.
    """
    _check_size(state, latents)
    return replace(state, x=latents.samples)


@node("NoiseLatents", category="sampling", infer=outlook.noised)
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
    fitting.check_begun(state.step)
    schedule = Schedule(state.sigmas, state.timesteps)
    return latents.with_samples(
        blend.behind(samples, noise, schedule, state.step - 1, state.sampler)
    )


def _check_size(state: SamplerState, latents: Latents) -> None:
    fitting.check_run_latents(facts.of(latents), facts.of(state).latents)
