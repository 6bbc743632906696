"""Nodes for how a model is guided by its prompts, beside the sampler's guidance scale."""

from dataclasses import replace
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field

from engine.errors import InputError
from engine.node import UNKNOWN, node

from .values import (
    Conditioning,
    DualGuidance,
    DynamicThreshold,
    GuidanceInterval,
    GuidanceRule,
    Model,
    PerpendicularNegative,
    PerturbedAttention,
    RescaledGuidance,
    StaticThreshold,
)
from .widgets import Fraction, GuidanceScale

T = TypeVar("T", bound=GuidanceRule)
Level = Annotated[float, Field(ge=0, le=1000, json_schema_extra={"step": 0.05})]
Limit = Annotated[float, Field(gt=0, le=1000, json_schema_extra={"step": 0.1})]
Percentile = Annotated[float, Field(gt=0, le=1, json_schema_extra={"step": 0.005})]
Scale = Annotated[float, Field(ge=0, le=100, json_schema_extra={"step": 0.1})]
Layer = Annotated[str, Field(pattern=r"^(mid|(down|up)\.\d+)(\.attentions\.\d+)?$")]


def _guided(model: Model, rule: GuidanceRule) -> Model:
    """The model with a rule in place of another of its kind."""
    kept = tuple(each for each in model.guidance if type(each) is not type(rule))
    return replace(model, guidance=(*kept, rule))


@node("RescaleGuidance", category="guidance", early=True)
def rescale_guidance(
    model: Model,
    *,
    amount: Fraction = 0.7,
    of: Literal["prediction", "velocity"] = "prediction",
) -> Model:
    """Keep guidance from overexposing: bring the result to the spread that the prompt's own has.

    Args:
        amount: How much of it; 0 is off.
        of: What is brought to it: prediction is what the model gives, as diffusers has it; velocity
            is v, whatever the model gives, as ComfyUI has it.
    """
    return _guided(model, RescaledGuidance(amount, of))


def check_interval(low: float, high: float) -> None:
    """Raise `InputError` unless there are noise levels from `low` to `high`."""
    if low > high:
        raise InputError(f"low is {low:g} and high {high:g}: give a low that is at most high", input="low")  # fmt: skip


@node("GuidanceInterval", category="guidance", early=True, check=check_interval)
def guidance_interval(model: Model, *, low: Level = 0.28, high: Level = 5.42) -> Model:
    """Guide in the middle of a run only, where it helps: elsewhere the positive prompt acts alone.

    Args:
        low: The noise level, sigma, below which guidance ends.
        high: The noise level above which it has not begun; a whole run begins at about 14.6.
    """
    check_interval(low, high)
    return _guided(model, GuidanceInterval(low, high))


@node("PerturbedAttention", category="guidance", early=True)
def perturbed_attention(
    model: Model,
    *,
    scale: Scale = 3.0,
    layers: Annotated[list[Layer], Field(min_length=1)] = ["mid"],  # noqa: B006 - never changed
) -> Model:
    """Guide away from what the model sees with its self-attention switched off. Asks it once more a step.

    Args:
        scale: How strongly; it adds to the guidance scale's effect, or works without it at 1.
        layers: Where it is switched off: mid, or such as down.1 and up.0.attentions.1.
    """
    return _guided(model, PerturbedAttention(scale, tuple(layers)))


@node("DynamicThreshold", category="guidance", early=True)
def dynamic_threshold(model: Model, *, percentile: Percentile = 0.995, floor: Limit = 4.0) -> Model:
    """Bound each estimate of the picture by its own values, so that a high guidance scale does not burn it.

    Args:
        percentile: Share of the values that stay as they are, but for being scaled with the others.
        floor: Estimates within it stay as they are: about the largest value of usual latents.
    """
    return _guided(model, DynamicThreshold(percentile, floor))


@node("StaticThreshold", category="guidance", early=True)
def static_threshold(model: Model, *, limit: Limit = 4.0) -> Model:
    """Cut each estimate of the picture off at a value.

    Args:
        limit: The largest value, either way, that latents may have.
    """
    return _guided(model, StaticThreshold(limit))


def _perpendicular(*, model: Any, empty: Any, scale: Any) -> Any:
    """The model, its rule with facts in place of the prompt."""
    return model if model is UNKNOWN else _guided(model, PerpendicularNegative(empty, scale))


@node("PerpendicularNegative", category="guidance", infer=_perpendicular)
def perpendicular_negative(model: Model, empty: Conditioning, *, scale: Scale = 1.0) -> Model:
    """Have the negative prompt take away only what the positive one does not ask for (Perp-Neg).

    Args:
        empty: An empty prompt, encoded.
        scale: How much the negative prompt counts.
    """
    return _guided(model, PerpendicularNegative(empty, scale))


def _dual(*, model: Any, middle: Any, scale: Any) -> Any:
    """The model, its rule with facts in place of the prompt."""
    return model if model is UNKNOWN else _guided(model, DualGuidance(middle, scale))


@node("DualGuidance", category="guidance", infer=_dual)
def dual_guidance(model: Model, middle: Conditioning, *, scale: GuidanceScale = 1.5) -> Model:
    """Guide in two stages: from the negative prompt to a middle one, and from there to the positive one.

    For InstructPix2Pix the positive prompt has words and the picture to edit, the middle one the picture
    alone, and the negative one neither.

    Args:
        middle: Such as an empty prompt with the picture to edit.
        scale: Of the first stage: how closely to follow the picture. The sampler's is that of the second.
    """
    return _guided(model, DualGuidance(middle, scale))
