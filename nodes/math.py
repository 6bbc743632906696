"""Nodes for numbers and constants."""

import math
import secrets
from typing import Annotated, Literal

from pydantic import Field

from engine.errors import InputError
from engine.node import node

from .widgets import Prompt

Rounding = Literal["nearest", "down", "up"]
RoundingMultiple = Annotated[int, Field(ge=1, le=2**32)]


@node("Add", category="math", early=True)
def add(a: float = 0.0, b: float = 0.0) -> float:
    """Add two numbers."""
    return _finite(a + b)


@node("Subtract", category="math", early=True)
def subtract(a: float = 0.0, b: float = 0.0) -> float:
    """Subtract the second number from the first."""
    return _finite(a - b)


@node("Multiply", category="math", early=True)
def multiply(a: float = 1.0, b: float = 1.0) -> float:
    """Multiply two numbers."""
    return _finite(a * b)


@node("Divide", category="math", early=True)
def divide(a: float = 1.0, b: float = 1.0) -> float:
    """Divide the first number by the second."""
    if b == 0:
        raise InputError(
            f"{a} cannot be divided by 0: give another b", code="division_by_zero", input="b"
        )
    return _finite(a / b)


@node("Minimum", category="math", early=True)
def minimum(a: float = 0.0, b: float = 0.0) -> float:
    """The smaller of two numbers."""
    return min(a, b)


@node("Maximum", category="math", early=True)
def maximum(a: float = 0.0, b: float = 0.0) -> float:
    """The larger of two numbers."""
    return max(a, b)


@node("Round", category="math", early=True)
def round_(value: float, *, mode: Rounding = "nearest", multiple_of: RoundingMultiple = 1) -> int:
    """Round a number to an integer, or to a multiple of one.

    Args:
        mode: nearest rounds halves up; down and up go towards minus and plus infinity.
        multiple_of: 8 gives sizes that models take.
    """
    units = _finite(value) / multiple_of
    whole = {"nearest": math.floor(units + 0.5), "down": math.floor(units), "up": math.ceil(units)}[
        mode
    ]
    return whole * multiple_of


@node("Integer", category="math", early=True)
def integer(*, value: int = 0) -> int:
    """An integer, to be linked to several inputs."""
    return value


@node("Number", category="math", early=True)
def number(*, value: float = 0.0) -> float:
    """A number, to be linked to several inputs."""
    return value


@node("Text", category="text", early=True)
def text(*, value: Prompt = "") -> str:
    """A text, to be linked to several inputs."""
    return value


@node("Boolean", category="logic", early=True)
def boolean(*, value: bool = False) -> bool:
    """True or false, to be linked to several inputs."""
    return value


@node("RandomSeed", category="math", volatile=True)
def random_seed() -> int:
    """Another seed in every run; below 2⁵³, so that every JSON reader keeps it exactly."""
    return secrets.randbelow(2**53)


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise InputError(
            f"the result is {value}: give numbers of a size that can be computed", code="not_finite"
        )
    return value
