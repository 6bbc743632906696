"""Nodes that say how sampling departs from a profile, through which noise, and for which kind of model."""

from dataclasses import replace
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from engine.errors import InputError
from engine.node import UNKNOWN, node

from . import foresight
from .facts import SigmaFacts, known
from .sampling import StartStep, check_steps
from .states import SamplingDetails, Sigmas
from .values import Model
from .widgets import (
    Clock,
    DenoiseRule,
    Fraction,
    LastLevel,
    MaskRule,
    PredictionType,
    ProfileName,
    SamplerName,
    ScheduleName,
    StartScale,
    StepNoise,
    Steps,
)

AsProfile = Literal["profile"]
Level = Annotated[float, Field(ge=0, le=10000)]


@node("SamplingRules", category="sampling", early=True)
def sampling_rules(
    details: SamplingDetails | None = None,
    *,
    start_scale: StartScale | AsProfile = "profile",
    clock: Clock | AsProfile = "profile",
    last_level: LastLevel | AsProfile = "profile",
    noise: ProfileName | AsProfile = "profile",
    denoise_rule: DenoiseRule | AsProfile = "profile",
    mask_rule: MaskRule | AsProfile = "profile",
) -> SamplingDetails:
    """Depart from a sampler's profile in some of its rules.

    Args:
        details: Other departures, to go on from.
        start_scale: The noise of the start is multiplied by sigma, or by sqrt(1 + sigma^2), which
            gives the variance that the model was trained with.
        clock: The model's timestep is read between the entries of its table, or at the nearest.
        last_level: A run ends at no noise, or at the least that the model was trained with.
        noise: Whose seeds: one for each picture of a batch in diffusers', one for all in ComfyUI's.
        denoise_rule: A denoise below 1 takes the last of more steps, or fewer of the steps.
        mask_rule: What lies outside a mask has, between steps, the noise before the step (diffusers'
            older pipeline) or after it (its newer one), or is put in around each call (ComfyUI).
    """
    chosen: dict[str, Any] = {
        "start_scale": start_scale,
        "clock": clock,
        "last_level": last_level,
        "noise": noise,
        "denoise_rule": denoise_rule,
        "mask_rule": mask_rule,
    }
    given = {name: value for name, value in chosen.items() if value != "profile"}
    return replace(details or SamplingDetails(), **given)


@node("SamplerNoise", category="sampling", early=True)
def sampler_noise(
    details: SamplingDetails | None = None,
    *,
    eta: Fraction = 1.0,
    scale: Annotated[float, Field(ge=0, le=100, json_schema_extra={"step": 0.01})] = 1.0,
    source: StepNoise | AsProfile = "profile",
) -> SamplingDetails:
    """Set how much noise a sampler makes anew in its steps.

    Args:
        details: Other departures, to go on from.
        eta: 0 makes none, 1 as much as training's noise has. Samplers without noise take no notice.
        scale: Multiplies the noise.
        source: Independent draws, or the increments of a Brownian motion, which stay alike when the
            steps change.
    """
    chosen: dict[str, Any] = {} if source == "profile" else {"step_noise": source}
    return replace(details or SamplingDetails(), eta=eta, noise_scale=scale, **chosen)


@node("SolverOrder", category="sampling", early=True)
def solver_order(
    details: SamplingDetails | None = None, *, order: Annotated[int, Field(ge=1, le=4)] = 2
) -> SamplingDetails:
    """Set how many estimates the samplers unipc, deis and lms go by.

    Args:
        details: Other departures, to go on from.
        order: At most 3 for unipc and deis.
    """
    return replace(details or SamplingDetails(), order=order)


def _scheduled(
    *,
    steps: Any,
    schedule: Any,
    denoise: Any,
    sampler: Any,
    profile: Any,
    details: Any,
) -> Any:
    """How many steps are laid."""
    count, clean = foresight.course(
        sampler, schedule, steps, denoise, 0, profile=profile, details=details
    )
    return UNKNOWN if count is UNKNOWN else SigmaFacts(count, clean)


@node("ScheduleSigmas", category="sampling", infer=_scheduled)
def schedule_sigmas(
    model: Model,
    details: SamplingDetails | None = None,
    *,
    steps: Steps = 20,
    schedule: ScheduleName = "karras",
    denoise: Fraction = 1.0,
    sampler: SamplerName = "euler",
    profile: ProfileName = "diffusers",
) -> Sigmas:
    """Lay the noise levels of a run, to be looked at, cut or sampled through.

    Args:
        model: Its training says which noise there is.
        details: Where to depart from the profile.
        steps: How many steps; one level more is laid.
        denoise: Fraction of the schedule to go through.
        sampler: The one that the levels are for, where its scheduler lays them its own way.
        profile: Whose rules.
    """
    from .diffusion import settings as run_settings

    settings = run_settings.Settings(
        sampler, schedule, steps, denoise, profile=profile, details=details or SamplingDetails()
    )
    known = run_settings.trained(model)
    return Sigmas(settings.planned(known).sigmas)


def _between(*, steps: Any, highest: Any, lowest: Any) -> Any:
    """How many steps are laid between two levels.

    Raises:
        InputError: The levels are in no such order.
    """
    if UNKNOWN not in (highest, lowest):
        _check_levels(lowest, highest)
    return UNKNOWN if steps is UNKNOWN else SigmaFacts(steps, ends_clean=True)


@node("KarrasSigmas", category="sampling", infer=_between)
def karras_sigmas(
    *,
    steps: Steps = 20,
    highest: Level = 14.614642,
    lowest: Level = 0.0291675,
    rho: Annotated[float, Field(gt=0, le=100)] = 7.0,
) -> Sigmas:
    """Lay noise levels by Karras' rule between two of your own."""
    from .diffusion import spacings

    _check_levels(lowest, highest)
    return Sigmas((*map(float, spacings.karras(lowest, highest, steps, rho)), 0.0))


@node("ExponentialSigmas", category="sampling", infer=_between)
def exponential_sigmas(
    *,
    steps: Steps = 20,
    highest: Level = 14.614642,
    lowest: Level = 0.0291675,
    rho: Annotated[float, Field(gt=0, le=100)] = 1.0,
) -> Sigmas:
    """Lay noise levels evenly in their logarithm between two of your own.

    Args:
        steps: How many steps; one level more is laid.
        highest: The first level.
        lowest: The last but one; the last is 0.
        rho: Bends the spacing: above 1, more levels lie low.
    """
    from .diffusion import spacings

    _check_levels(lowest, highest)
    return Sigmas((*map(float, spacings.polyexponential(lowest, highest, steps, rho)), 0.0))


def _aligned(*, steps: Any, start_step: Any) -> Any:
    """How many steps are laid.

    Raises:
        InputError: More are left out than there are.
    """
    if UNKNOWN in (steps, start_step):
        return UNKNOWN
    check_steps(steps, start_step, 1.0)
    return SigmaFacts(steps - start_step, ends_clean=True)


@node("AlignedSigmas", category="sampling", infer=_aligned)
def aligned_sigmas(
    *,
    family: Literal["sd1", "sdxl"] = "sd1",
    steps: Steps = 10,
    start_step: StartStep = 0,
) -> Sigmas:
    """Lay the noise levels that were found to be best for a family (align your steps).

    Args:
        family: Whose models they are for.
        steps: How many steps a whole run has; levels for other numbers than 10 lie between those found.
        start_step: Steps to leave out at the noisy end.
    """
    from .diffusion import spacings, training_noise

    check_steps(steps, start_step, 1.0)
    levels = training_noise.ALIGNED if family == "sd1" else training_noise.ALIGNED_XL
    return Sigmas((*map(float, spacings.aligned(levels, steps)[start_step:]), 0.0))


class Split(NamedTuple):
    """What SplitSigmas gives."""

    high: Sigmas
    low: Sigmas


def _split(*, sigmas: Any, step: Any) -> tuple[Any, Any]:
    """How many steps each part has.

    Raises:
        InputError: There is no such step.
    """
    if UNKNOWN in (sigmas, step):
        return UNKNOWN, UNKNOWN
    _check_split(sigmas.steps, step)
    whole = step == sigmas.steps
    high = SigmaFacts(step, sigmas.ends_clean if whole else False)
    return high, SigmaFacts(sigmas.steps - step, sigmas.ends_clean)


@node("SplitSigmas", category="sampling", infer=_split)
def split_sigmas(sigmas: Sigmas, *, step: StartStep = 0) -> Split:
    """Part the noise levels of a run, so that a second sampler goes on where the first one stops.

    Args:
        sigmas: Of the whole run.
        step: The steps that the first part has. The level between both stands in both.
    """
    _check_split(len(sigmas.levels) - 1, step)
    return Split(Sigmas(sigmas.levels[: step + 1]), Sigmas(sigmas.levels[step:]))


def _check_split(steps: int, step: int) -> None:
    if step > steps:
        raise InputError(
            f"step is {step} of {steps} steps: give a number from 0 to {steps}",
            input="step",
            hint=str(steps),
        )


def _check_levels(lowest: float, highest: float) -> None:
    if not 0 < lowest < highest:
        raise InputError(
            f"noise levels go from {highest:g} down to {lowest:g}: give a highest one above the lowest,"
            " and both above 0",
            input="lowest",
        )


@known
def _sampled_as(
    *, model: Model, prediction_type: PredictionType, zero_snr: bool, distilled: bool
) -> Model:
    return replace(model, prediction_type=prediction_type, zero_snr=zero_snr, distilled=distilled)


def check_sampled_as(prediction_type: PredictionType, zero_snr: bool) -> None:
    """Raise `InputError` unless a model that predicts such says something of noise alone."""
    if zero_snr and prediction_type == "epsilon":
        raise InputError(
            "a model that predicts epsilon says nothing of a picture in noise alone: take another"
            " prediction_type, or zero_snr off",
            input="zero_snr",
        )


@node("ModelSampling", category="sampling", check=check_sampled_as, infer=_sampled_as)
def model_sampling(
    model: Model,
    *,
    prediction_type: PredictionType = "epsilon",
    zero_snr: bool = False,
    distilled: bool = False,
) -> Model:
    """Say what a model predicts and how its training noise ends, where its file does not.

    Args:
        model: The model.
        prediction_type: What it was trained to predict.
        zero_snr: Whether its noise ends in noise alone, as trainers call zero terminal SNR. Needs a
            model that does not predict epsilon.
        distilled: Whether it is a latent consistency model, or has a LoRA that makes it one. Then only
            the 50 timesteps of the distillation are asked for, whatever the schedule.
    """
    check_sampled_as(prediction_type, zero_snr)
    return replace(model, prediction_type=prediction_type, zero_snr=zero_snr, distilled=distilled)
