"""Nodes that make numbers, cloth and files."""

import errno
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from engine.artifacts import Artifact, Delivery, here
from engine.errors import InputError
from engine.node import Opaque, Progress, node, silent

Count = Annotated[int, Field(ge=1, le=100, description="How many times")]


@dataclass(frozen=True)
class Cloth(Opaque):
    colour: str


class Parts(NamedTuple):
    whole: float
    rest: float


@node("Add", category="math")
def add(a: float = 0.0, b: float = 0.0) -> float:
    """Add two numbers.

    Args:
        a: The first.
    """
    return a + b


@node("Split", category="math")
def split(number: float) -> Parts:
    """Split a number into its whole and the rest."""
    return Parts(number // 1, number % 1)


@node("Anything", category="math")
def anything(value: Any) -> Any:
    """Pass JSON on."""
    return value


@node("Infinity", category="math")
def infinity() -> float:
    """A number that JSON lacks."""
    return float("inf")


@node("Dye", category="cloth")
def dye(*, colour: Literal["red", "blue"] = "red") -> Cloth:
    """Make a coloured cloth."""
    return Cloth(colour)


@node("Describe", category="cloth")
def describe(cloth: Cloth, *, words: str = "a", count: Count = 1) -> str:
    """Describe a cloth in words."""
    return f"{words} {cloth.colour} cloth" * count


@node("Write", category="output")
def write(text: str, *, name: str = "text", delivery: Delivery = here) -> Artifact:
    """Write a text file."""
    return delivery.write(name, "txt", text.encode(), "text/plain")


@node("Slow", category="time")
def slow(number: float = 0.0, *, steps: Count = 3, progress: Progress = silent) -> float:
    """Take a twentieth of a second for each step."""
    for step in range(steps):
        time.sleep(0.05)
        progress(step + 1, steps)
    return number


@node("Deaf", category="time")
def deaf(number: float = 0.0) -> float:
    """Take a minute, and listen to nobody."""
    time.sleep(60)
    return number


@node("Fail", category="faults")
def fail(
    number: float = 0.0, *, how: Literal["value", "input", "bug", "disk", "memory"] = "value"
) -> float:
    """Fail in one of the ways in which nodes fail."""
    if how == "value":
        raise ValueError("the number is odd: give an even one")
    if how == "input":
        raise InputError("the number is odd", code="odd", input="number", hint="give 2")
    if how == "disk":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "picture.png")
    if how == "memory":
        raise MemoryError
    return [number][round(number) + 1]


def _digest(file: str) -> int:
    return Path(file).stat().st_size


@node("ReadFile", category="faults", fingerprint=_digest)
def read_file(file: str) -> str:
    """The text of a file."""
    return Path(file).read_text(encoding="utf-8")
