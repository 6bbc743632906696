"""Workload: what a node has to compute, foretold from what is known of its inputs.

The time that another result of the node took is scaled by it. The unit is a weight at a place of
latents or of a picture, so that samplings by one model compare exactly, and those by several roughly.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.facts import has_unknown
from engine.node import UNKNOWN

from . import foresight
from .diffusion import asking, windows
from .diffusion.pool import Pool
from .facts import ConditioningFacts, ControlFacts, LatentFacts, PixelFacts
from .states import SamplingDetails
from .values import Area, ControlNet, GuidanceInterval, Model

if TYPE_CHECKING:
    from .diffusion.schedules import NoiseSchedule, Schedule
    from .diffusion.settings import Settings

_PIXELS = 8
"""Pixels to one latent."""


@dataclass(frozen=True)
class Rows:
    """How often latents go through networks: each once for every estimate and for every prompt."""

    unet: int
    controlled: Mapping[ControlNet, int]
    """Through ControlNets."""
    share: float
    """Those of the UNet in wholes: a prompt for an area has but that part of the latents."""


@dataclass(frozen=True)
class Course:
    """The steps of a run that are to be taken. What needs its noise levels has them laid, for which torch is imported."""

    model: Model
    sampler: Any
    profile: Any
    steps: int
    """Of the whole run."""
    begin: int
    end: int
    ends_clean: bool
    settings: "Settings | None" = None
    """What the levels are laid by, if that is known."""

    @property
    def trained(self) -> "NoiseSchedule":
        """The model's noise."""
        from .diffusion.settings import trained

        return trained(self.model)

    def schedule(self) -> "Schedule":
        """The noise levels.

        Raises:
            LookupError: They are not known.
        """
        if self.settings is None:
            raise LookupError
        return self.settings.planned(self.trained)

    def sigmas(self, step: int) -> Iterator[float]:
        """The noise of each estimate of a step; see `samplers` for where a second one is asked for."""
        from .diffusion.samplers.ancestral import split

        levels = self.schedule().sigmas
        yield levels[step]
        if self.calls(step) == 1:
            return
        after = levels[step + 1]
        if self.sampler in {"heun", "pndm"}:
            yield after
            return
        if self.sampler in {"dpm_2_ancestral", "dpmpp_2s_ancestral"}:
            eta = None if self.settings is None else self.settings.details.eta
            after = split(levels[step], after, 1.0 if eta is None else eta)[0]
        yield math.sqrt(levels[step] * after)

    def calls(self, step: int) -> int:
        """How many estimates a step asks for."""
        return asking.calls(self.sampler, step, self.steps, ends_clean=self.ends_clean)

    def asked(self, step: int, *, has_negative: bool) -> Iterator[tuple[str, ...]]:
        """For what the model is asked, for each estimate of a step."""
        rules = self.model.guidance
        if asking.rule_of(rules, GuidanceInterval) is None:
            yield from [asking.asked(rules, 0.0, has_negative=has_negative)] * self.calls(step)
            return
        for sigma in self.sigmas(step):
            yield asking.asked(rules, sigma, has_negative=has_negative)

    def controlled(self, control: ControlFacts) -> tuple[bool, ...]:
        """For each step of the run whether a ControlNet acts."""
        if self.profile == "comfyui" and (control.start, control.end) != (0, 1):
            from .diffusion import control as networks

            return networks.window(control, self.schedule(), self.trained, self.profile)  # type: ignore[arg-type]
        window = windows.of_control(control.start, control.end, self.steps)
        return tuple(acts and control.strength != 0 for acts in window)

    def said(self, prompt: ConditioningFacts) -> tuple[bool, ...]:
        """For each step of the run whether a prompt counts."""
        region = prompt.region
        if self.profile == "comfyui" and (region.start, region.end) != (0, 1):
            from .diffusion import control as networks

            return networks.window(region, self.schedule(), self.trained, self.profile)  # type: ignore[arg-type]
        window = windows.of_prompt(region.start, region.end, self.steps)
        return tuple(counts and region.strength != 0 for counts in window)


def of_sampling(
    *,
    model: Any,
    positive: Any,
    negative: Any,
    latents: Any,
    details: Any,
    steps: Any,
    guidance_scale: Any,
    sampler: Any,
    schedule: Any,
    denoise: Any,
    start_step: Any,
    profile: Any,
    pool: Pool,
) -> float | None:
    """Of KSampler."""
    from .diffusion.settings import Settings

    chosen = (sampler, schedule, steps, denoise, start_step, profile, details)
    if has_unknown((model, *chosen)):
        return None
    departures = SamplingDetails() if details is None else details
    settings = Settings(sampler, schedule, steps, denoise, start_step, profile, details=departures)
    course = Course(
        model, sampler, profile, settings.count, 0, settings.count,
        departures.last_level != "lowest", settings,
    )  # fmt: skip
    return _amount(
        course, {"positive": positive, "negative": negative}, guidance_scale, latents, pool
    )


def of_levels(
    *,
    model: Any,
    positive: Any,
    negative: Any,
    latents: Any,
    sigmas: Any,
    guidance_scale: Any,
    sampler: Any,
    profile: Any,
    pool: Pool,
) -> float | None:
    """Of SampleSigmas."""
    if has_unknown((model, sigmas, sampler, profile)):
        return None
    course = Course(model, sampler, profile, sigmas.steps, 0, sigmas.steps, sigmas.ends_clean)
    return _amount(
        course, {"positive": positive, "negative": negative}, guidance_scale, latents, pool
    )


def of_steps(
    *,
    model: Any,
    positive: Any,
    negative: Any,
    state: Any,
    count: Any,
    guidance_scale: Any,
    pool: Pool,
) -> float | None:
    """Of SampleSteps."""
    if has_unknown((model, state, count)):
        return None
    if has_unknown((state.steps, state.left, state.sampler, state.profile, state.ends_clean)):
        return None
    end = min(state.steps, state.step + count)
    course = Course(
        model, state.sampler, state.profile, state.steps, state.step, end, state.ends_clean
    )
    return _amount(
        course, {"positive": positive, "negative": negative}, guidance_scale, state.latents, pool
    )


def of_pixels(*, image: Any) -> float | None:
    """Of what goes through every pixel of a picture."""
    if image is UNKNOWN:
        return None
    known: PixelFacts = image
    return float(known.batch * known.height * known.width)


def of_places(*, latents: Any) -> float | None:
    """Of what goes through every place of latents."""
    if latents is UNKNOWN:
        return None
    known: LatentFacts = latents
    return float(known.batch * known.height * known.width)


def _amount(
    course: Course, prompts: Mapping[str, Any], guidance_scale: Any, latents: Any, pool: Pool
) -> float | None:
    """Weights times places, for all that goes through the networks; None if that is not known."""
    if has_unknown((latents, guidance_scale, *prompts.values())):
        return None
    unet = foresight.of_part(course.model, "unet", pool)
    roles = foresight.asked_for(course.model, prompts, guidance_scale, unet.sizes)
    if not all(map(_is_told, roles.values())):
        return None
    try:
        found = rows(course, roles, latents)
    except LookupError:
        return None
    nets = sum(
        count * foresight.of_part(net, "controlnet", pool).count
        for net, count in found.controlled.items()
    )
    return float((unet.count * found.share + nets) * latents.height * latents.width)


def _is_told(prompt: Any) -> bool:
    """Whether it is known when a prompt and its ControlNets act."""
    if prompt is UNKNOWN:
        return False
    return not any(
        has_unknown((part.region.strength, part.region.area, part.region.start, part.region.end))
        or any(
            has_unknown((each.controlnet, each.strength, each.start, each.end))
            for each in part.controls
        )
        for part in prompt.parts
    )


def rows(course: Course, roles: Mapping[str, Any], latents: LatentFacts) -> Rows:
    """How often latents go through the networks in the steps of a run that are to be taken.

    Args:
        course: The steps.
        roles: The prompts that the model is asked for, by their roles.
        latents: What is denoised.

    Raises:
        LookupError: That depends on noise levels that are not known.
    """
    acting = {
        role: [(part, course.said(part), [(each, course.controlled(each)) for each in part.controls]) for part in prompt.parts]
        for role, prompt in roles.items()
    }  # fmt: skip
    unet, share, controlled = 0, 0.0, dict[ControlNet, int]()
    for step in range(course.begin, course.end):
        for asked in course.asked(step, has_negative="negative" in roles):
            for role in asked:
                for part, said, controls in acting.get(
                    "positive" if role == "perturbed" else role, ()
                ):
                    if not said[step]:
                        continue
                    unet += latents.batch
                    share += latents.batch * _share(part.region.area, latents)
                    for control, window in controls:
                        if window[step]:
                            net = control.controlnet
                            controlled[net] = controlled.get(net, 0) + latents.batch
    return Rows(unet, controlled, share)


def _share(area: Area | None, latents: LatentFacts) -> float:
    """The part of the latents that an area is."""
    if area is None:
        return 1.0
    unit = (1.0, 1.0) if area.is_fraction else (latents.width * _PIXELS, latents.height * _PIXELS)
    return min(1.0, area.width / unit[0]) * min(1.0, area.height / unit[1])
