"""Nodes that put encoded prompts together, and say where and when they count."""

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.node import node

from . import facts, phrasing
from .control import check_window
from .values import Area, Conditioning, Mask
from .widgets import Fraction, Strength

Side = Annotated[int, Field(ge=0, le=16384, json_schema_extra={"step": 8})]


class _Rectangle(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class InPixels(_Rectangle):
    """A rectangle in pixels; rounded to whole latents of 8."""

    kind: Literal["pixels"] = "pixels"
    x: Side = 0
    y: Side = 0
    width: Annotated[int, Field(ge=8, le=16384)] = 64
    height: Annotated[int, Field(ge=8, le=16384)] = 64

    def area(self) -> Area:
        """As a conditioning holds it."""
        return Area(self.x, self.y, self.width, self.height)


class InFractions(_Rectangle):
    """A rectangle in fractions of the picture's sides."""

    kind: Literal["fractions"] = "fractions"
    x: Annotated[float, Field(ge=0, lt=1)] = 0.0
    y: Annotated[float, Field(ge=0, lt=1)] = 0.0
    width: Annotated[float, Field(gt=0, le=1)] = 1.0
    height: Annotated[float, Field(gt=0, le=1)] = 1.0

    def area(self) -> Area:
        """As a conditioning holds it."""
        return Area(self.x, self.y, self.width, self.height, is_fraction=True)


@node("ConditioningCombine", category="conditioning", infer=phrasing.combined)
def conditioning_combine(first: Conditioning, second: Conditioning) -> Conditioning:
    """Have two prompts count at once: the model is asked for each, and its answers are averaged."""
    return replace(first, others=(*first.others, *second.parts))


@node("ConditioningConcat", category="conditioning", infer=phrasing.concatenated)
def conditioning_concat(first: Conditioning, second: Conditioning) -> Conditioning:
    """Join two prompts to a longer one, each encoded without a view of the other.

    Args:
        first: Everything but the words is taken from it.
        second: Its first prompt, if it is several.
    """
    from .diffusion import phrases

    return first.each(lambda part: phrases.concatenated(part, second))


@node("ConditioningAverage", category="conditioning", infer=phrasing.averaged)
def conditioning_average(
    first: Conditioning, second: Conditioning, *, amount: Fraction = 0.5
) -> Conditioning:
    """Mix two prompts into one that lies between them.

    Args:
        first: Everything but the words is taken from it, and its length.
        second: Its first prompt, if it is several.
        amount: Share of the second: 0 is the first alone, 1 the second alone.
    """
    from .diffusion import phrases

    return first.each(lambda part: phrases.averaged(part, second, amount))


@node("ConditioningArea", category="conditioning", infer=phrasing.in_area)
def conditioning_area(
    conditioning: Conditioning,
    *,
    area: Annotated[InPixels | InFractions, Field(discriminator="kind")] = InFractions(),
    strength: Strength = 1.0,
) -> Conditioning:
    """Have a prompt count in a rectangle of the picture, which is all that the model sees for it.

    Combine it with others by ConditioningCombine, one of which speaks for the whole picture.

    Args:
        area: What reaches out of the picture is cut off.
        strength: How much it counts beside the others.
    """
    return conditioning.each(
        lambda part: replace(part, region=replace(part.region, area=area.area(), strength=strength))
    )


@node("ConditioningMask", category="conditioning", infer=phrasing.under_mask)
def conditioning_mask(
    conditioning: Conditioning, mask: Mask, *, strength: Strength = 1.0
) -> Conditioning:
    """Have a prompt count where a mask is 1; the model sees the whole picture for it.

    Args:
        mask: Of any size; it is stretched to the picture's.
        strength: How much it counts beside others; see ConditioningCombine.
    """
    return conditioning.each(
        lambda part: replace(part, region=replace(part.region, mask=mask.pixels, strength=strength))
    )


@node(
    "ConditioningTimeRange",
    category="conditioning",
    check=check_window,
    infer=phrasing.for_a_time,
)
def conditioning_time_range(
    conditioning: Conditioning, *, start: Fraction = 0.0, end: Fraction = 1.0
) -> Conditioning:
    """Have a prompt count in a part of the run. Combine it with one for the rest.

    Args:
        start: Fraction of the steps at which it begins to count.
        end: Fraction of the steps from which on it counts no more.
    """
    check_window(start, end)
    return conditioning.each(
        lambda part: replace(part, region=replace(part.region, start=start, end=end))
    )


@node("ConditioningZero", category="conditioning", infer=facts.same("conditioning"))
def conditioning_zero(conditioning: Conditioning) -> Conditioning:
    """Make a prompt say nothing at all: zeros, which is less than an empty prompt."""
    from .diffusion import phrases

    return conditioning.each(phrases.zeroed)
