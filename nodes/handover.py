"""Nodes that say where one model hands a run over to another."""

from engine.errors import InputError
from engine.node import node

from .states import SamplerState
from .widgets import Fraction

_CLOCK = 1000
"""Ticks of the models' clock."""


@node("StepsToNoise", category="sampling")
def steps_to_noise(state: SamplerState, *, fraction: Fraction = 0.8) -> int:
    """Count the steps from here to where a fraction of the noise is gone: for SampleSteps to take.

    Args:
        state: Where the run stands.
        fraction: Of the model's clock, as diffusers' denoising_end: 0.8 leaves the last fifth to
            another model, such as SDXL's refiner.
    """
    border = round(_CLOCK - fraction * _CLOCK)
    count = sum(timestep >= border for timestep in state.timesteps[state.step :])
    if count == 0:
        raise InputError(
            f"no step remains before a fraction of {fraction:g} of the noise is gone: "
            "give a larger fraction, or more steps to the run",
            code="no_steps",
            input="fraction",
        )
    return count
