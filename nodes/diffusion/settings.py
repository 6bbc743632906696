"""Settings of a run, and the noise levels that they lead through."""

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from nodes.states import SamplingDetails, Sigmas
from nodes.widgets import FamilyName, ProfileName, SamplerName, ScheduleName

from . import schedules
from .families import FAMILIES
from .schedules import NoiseSchedule, Schedule
from .training_noise import ALIGNED_XL


@dataclass(frozen=True)
class Settings:
    """What a run is to do, apart from the prompts."""

    sampler: SamplerName = "euler"
    schedule: ScheduleName = "karras"
    steps: int = 20
    denoise: float = 1.0
    start_step: int = 0
    profile: ProfileName = "diffusers"
    seed: int = 0
    draws_before: int = 0
    details: SamplingDetails = field(default_factory=SamplingDetails)
    sigmas: Sigmas | None = None
    """The noise levels to go through, instead of those that the other settings lead to."""

    def planned(self, trained: NoiseSchedule) -> Schedule:
        """The steps that the run takes; none at a denoise of 0.

        Raises:
            InputError: The model knows too few timesteps, or `start_step` exceeds `steps`.
        """
        rules: Any = {
            "sampler": self.sampler,
            "profile": self.profile,
            "details": self.details,
        }
        if self.sigmas is not None:
            return schedules.given(self.sigmas.levels, trained, **rules)
        full = partial(schedules.schedule, self.schedule, trained, **rules)
        if self.schedule == "turbo":
            return schedules.turbo(
                full, self.steps, denoise=self.denoise, start_step=self.start_step
            )
        denoise, start_step = self.denoise, self.start_step
        if self.details.denoise_rule == "shorter":
            left_out = self.steps - int(self.steps * denoise)
            denoise, start_step = 1.0, min(self.steps, start_step + left_out)
        return schedules.run(full, self.steps, denoise=denoise, start_step=start_step)

    @property
    def whole(self) -> bool:
        """Whether the run begins at the noisiest level of its schedule."""
        return self.sigmas is None and self.denoise == 1 and self.start_step == 0


def trained(family: FamilyName, *, zero_snr: bool = False) -> NoiseSchedule:
    """The noise that the models of a family were trained with.

    Args:
        family: The family.
        zero_snr: Whether the model was trained on until its noise ended in noise alone.
    """
    constants = FAMILIES[family]
    made = NoiseSchedule.scaled_linear(
        constants.beta_start, constants.beta_end, constants.train_steps
    )
    if family.startswith("sdxl"):
        made = replace(made, aligned=ALIGNED_XL)
    return made.ending_in_noise() if zero_snr else made
