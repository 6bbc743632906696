"""Nodes that put ControlNets to work."""

from typing import NamedTuple

from engine.errors import InputError
from engine.node import node

from .values import Conditioning, Control, ControlNet, Fraction, Image, Strength


class ControlledPrompts(NamedTuple):
    """The prompts, under one ControlNet more."""

    positive: Conditioning
    negative: Conditioning


@node("ControlNetApply", category="conditioning")
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
    if start > end:
        raise InputError(
            f"start is {start} and end {end}: give a start that is at most end", input="start"
        )
    control = Control(controlnet, image.pixels, strength, start, end)
    return ControlledPrompts(positive.with_control(control), negative.with_control(control))
