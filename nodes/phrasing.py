"""What can be told of prompts that are put together, before they are encoded."""

from dataclasses import replace
from typing import Any

from engine.facts import has_unknown
from engine.node import UNKNOWN

from . import facts
from .facts import ConditioningFacts, known


@known
def combined(first: ConditioningFacts, second: ConditioningFacts) -> ConditioningFacts:
    """What is known of two prompts in one role."""
    return replace(first, others=(*first.others, *second.parts))


@known
def concatenated(first: ConditioningFacts, second: ConditioningFacts) -> Any:
    """What is known of two prompts as one.

    Raises:
        InputError: They are of different text encoders, or of different numbers.
    """
    total = UNKNOWN if has_unknown((first.pieces, second.pieces)) else first.pieces + second.pieces
    return replace(_put_together(first, second), pieces=total)


@known
def averaged(first: ConditioningFacts, second: ConditioningFacts) -> Any:
    """What is known of a mixture of two prompts.

    Raises:
        InputError: They are of different text encoders, or of different numbers.
    """
    return _put_together(first, second)


def in_area(*, conditioning: Any, area: Any, strength: Any) -> Any:
    """What is known of prompts that count in a rectangle."""
    place = area if area is UNKNOWN else area.area()
    return _placed(conditioning, area=place, strength=strength)


def under_mask(*, conditioning: Any, mask: Any, strength: Any) -> Any:
    """What is known of prompts that count where a mask says."""
    return _placed(conditioning, mask=mask, strength=strength)


def for_a_time(*, conditioning: Any, start: Any, end: Any) -> Any:
    """What is known of prompts that count in a part of the run."""
    return _placed(conditioning, start=start, end=end)


def _placed(conditioning: Any, **changed: Any) -> Any:
    return UNKNOWN if conditioning is UNKNOWN else conditioning.placed(**changed)


def _put_together(first: ConditioningFacts, second: ConditioningFacts) -> ConditioningFacts:
    for part in first.parts:
        facts.check_phrases(part.width, second.width, part.batch, second.batch)
    return replace(first, batch=max(first.batch, second.batch))
