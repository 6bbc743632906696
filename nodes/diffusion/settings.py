"""Settings of a run, and the noise levels that they lead through."""

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from nodes.states import SamplingDetails, Sigmas
from nodes.widgets import FamilyName, ProfileName, SamplerName, ScheduleName

from .endings import ends_clean
from .families import FAMILIES

if TYPE_CHECKING:  # a plan counts steps without laying them, for which it need not import numpy
    from .schedules import NoiseSchedule, Schedule


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

    def planned(self, trained: "NoiseSchedule") -> "Schedule":
        """The steps that the run takes; none at a denoise of 0.

        Raises:
            InputError: The model knows too few timesteps, or `start_step` exceeds `steps`.
        """
        from . import schedules

        rules: Any = {
            "sampler": self.sampler,
            "profile": self.profile,
            "details": self.details,
        }
        if self.sigmas is not None:
            return schedules.given(self.sigmas.levels, trained, **rules)
        full = partial(schedules.schedule, self.schedule, trained, **rules)
        lay = schedules.turbo if self.schedule == "turbo" else schedules.run
        denoise, start_step = self._part
        return lay(full, self.steps, denoise=denoise, start_step=start_step)

    @property
    def count(self) -> int:
        """How many steps are `planned`, without planning them."""
        if self.sigmas is not None:
            return len(self.sigmas.levels) - 1
        denoise, start_step = self._part
        if self.schedule == "turbo":
            from .spacings import TURBO_STEPS

            denoise = int(TURBO_STEPS * denoise)
        if denoise <= 0:
            return 0
        return max(0, self.steps - start_step)

    @property
    def ends_clean(self) -> bool:
        """Whether the run ends at no noise; one without steps has none."""
        if self.count == 0:
            return True
        if self.sigmas is not None:
            return self.sigmas.levels[-1] == 0
        return ends_clean(self.sampler, self.profile, self.details)

    @property
    def _part(self) -> tuple[float, int]:
        """The denoise, and the steps to leave out, by the rule of the details."""
        if self.schedule == "turbo" or self.details.denoise_rule != "shorter":
            return self.denoise, self.start_step
        left_out = self.steps - int(self.steps * self.denoise)
        return 1.0, min(self.steps, self.start_step + left_out)

    @property
    def whole(self) -> bool:
        """Whether the run begins at the noisiest level of its schedule."""
        return self.sigmas is None and self.denoise == 1 and self.start_step == 0


class Trained(Protocol):
    """What says which noise it was trained with, or its model was: a `Model` or a `SamplerState`."""

    @property
    def family(self) -> FamilyName: ...
    @property
    def zero_snr(self) -> bool: ...
    @property
    def distilled(self) -> bool: ...


def trained(whose: Trained) -> "NoiseSchedule":
    """The noise that a model was trained with."""
    made = of_family(whose.family)
    if whose.zero_snr:
        made = made.ending_in_noise()
    return made.distilled() if whose.distilled else made


def of_family(family: FamilyName) -> "NoiseSchedule":
    """The noise that the models of a family are usually trained with."""
    from .schedules import NoiseSchedule
    from .training_noise import ALIGNED_XL

    constants = FAMILIES[family]
    made = NoiseSchedule.scaled_linear(
        constants.beta_start, constants.beta_end, constants.train_steps
    )
    if family.startswith("sdxl"):
        made = replace(made, aligned=ALIGNED_XL)
    return made
