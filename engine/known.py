"""Facts about values, one beside another: what of them lasts, what they agree on."""

from collections.abc import Iterable
from typing import Any

from .node import UNKNOWN


def lasting(fact: Any) -> Any:
    """What a fact about a value that a loop carries round says of the laps to come.

    Nothing, if it is the value itself. A fact that changes from lap to lap in part has a method
    `lasting`, which gives what stays.
    """
    if is_value(fact):
        return UNKNOWN
    if isinstance(fact, list):
        return [lasting(each) for each in fact]
    lasts = getattr(fact, "lasting", None)
    return fact if lasts is None else lasts()


def agreed(facts: Iterable[Any]) -> Any:
    """The fact that all are, or `UNKNOWN`."""
    first, *others = facts
    same = all(type(each) is type(first) and each == first for each in others)
    return first if same else UNKNOWN


def is_value(fact: object) -> bool:
    """Whether a fact is the value itself."""
    return isinstance(fact, (bool, int, float, str))
