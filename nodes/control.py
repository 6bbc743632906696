"""Nodes that put ControlNets to work."""

from typing import NamedTuple

from engine.errors import InputError
from engine.node import node

from . import foresight
from .values import Conditioning, Control, ControlNet, Image
from .widgets import Fraction, Strength


class ControlledPrompts(NamedTuple):
    """The prompts, under one ControlNet more."""

    positive: Conditioning
    negative: Conditioning


def check_window(start: float, end: float) -> None:
    """Raise `InputError` unless a ControlNet would act from `start` to `end`."""
    if start > end:
        raise InputError(
            f"start is {start} and end {end}: give a start that is at most end", input="start"
        )


@node("ControlNetApply", category="conditioning", check=check_window, infer=foresight.controlled)
def control_net_apply(
    positive: Conditioning,
    negative: Conditioning,
    controlnet: ControlNet,
    image: Image,
    *,
    strength: Strength = 1.0,
    start: Fraction = 0.0,
    end: Fraction = 1.0,
) -> ControlledPrompts:
    """Have a ControlNet guide the picture. Several in a row add up.

    Args:
        image: What the ControlNet reads: edges, depth, a pose; as large as the picture.
        strength: How much it counts; 0 is off.
        start: Fraction of the steps after which it begins to act.
        end: Fraction of the steps after which it acts no more.
    """
    check_window(start, end)
    control = Control(controlnet, image.pixels, strength, start, end)
    return ControlledPrompts(positive.with_control(control), negative.with_control(control))
