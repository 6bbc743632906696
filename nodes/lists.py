"""Nodes for lists."""

from typing import Annotated, Any, TypeVar

from pydantic import Field

from engine.errors import InputError
from engine.node import UNKNOWN, node

T = TypeVar("T")
Step = Annotated[int, Field(description="From one number to the next; negative counts down")]
_MOST = 100_000


def check_range(start: int, stop: int, step: int) -> None:
    """Raise `InputError` for a range without an end, or too long to be meant."""
    if step == 0:
        raise InputError("step is 0, which leads nowhere: give another", input="step")
    count = -((start - stop) // step)
    if count > _MOST:
        raise InputError(
            f"the range has {count} numbers, and {_MOST} are the most: give a larger step or a nearer stop",
            code="too_large",
            input="stop",
        )


@node("IntegerRange", category="list", check=check_range, early=True)
def integer_range(*, start: int = 0, stop: int = 4, step: Step = 1) -> list[int]:
    """Whole numbers from `start` on, up to but without `stop`.

    Args:
        stop: The first number that is left out.
    """
    check_range(start, stop, step)
    return list(range(start, stop, step))


def check_place(length: int, index: int) -> None:
    """Raise `InputError` unless a list of that length has a place `index`."""
    if not -length <= index < length:
        held = f"0 to {length - 1}" if length else "none"
        raise InputError(
            f"there is no value {index} in a list of {length}: the places are {held}",
            code="out_of_range",
            input="index",
        )


def _picked(values: Any, index: Any) -> Any:
    if values is UNKNOWN or index is UNKNOWN:
        return UNKNOWN
    check_place(len(values), index)
    return values[index]


@node("Pick", category="list", infer=_picked)
def pick(values: list[T], *, index: int = 0) -> T:
    """One value of a list.

    Args:
        index: 0 is the first value; -1 is the last, -2 the one before.
    """
    check_place(len(values), index)
    return values[index]
