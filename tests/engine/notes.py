"""Toy nodes that read files, roll dice and deliver what they make, for tests of provenance."""

import hashlib
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from engine.artifacts import Artifact, Delivery, here
from engine.catalog import Catalog
from engine.errors import InputError
from engine.node import Service, node, node_type

from . import toys

NoteName = Annotated[str, Field(json_schema_extra={"files": "notes"})]


@dataclass(frozen=True)
class Notes(Service):
    """Files by name, and what was taken in place of what."""

    texts: dict[str, str] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        name = self.taken.get(name, name)
        if name not in self.texts:
            raise InputError(f"no note {name!r}", code="missing_file")
        return self.texts[name]

    def place(self, kind: str, name: str) -> Path:
        raise InputError(f"the note {name!r} lies nowhere", code="missing_file")

    def describe(self, kind: str, name: str) -> tuple[str, int]:
        text = self.text(name)
        return hashlib.sha256(text.encode()).hexdigest(), len(text)

    def search(self, kind: str, sha256: str, size: int | None) -> str | None:
        found = (name for name in self.texts if self.describe(kind, name) == (sha256, size))
        return next(found, None)

    def stand_in(self, kind: str, name: str, other: str) -> None:
        self.taken[name] = other


def note_digest(note: str, notes: Notes) -> str:
    return notes.describe("notes", note)[0]


@node("ReadNote", category="notes", fingerprint=note_digest)
def read_note(*, note: NoteName = "a.txt", notes: Notes = Notes()) -> str:
    """Read a note."""
    return notes.text(note)


@node("ReadAll", category="notes", fingerprint=lambda: "all of them")
def read_all(*, names: list[NoteName] = [], notes: Notes = Notes()) -> str:  # noqa: B006
    """Read several notes."""
    return " ".join(notes.text(name) for name in names)


class Roll(NamedTuple):
    number: float
    pair: list[float]


@node("Cast", category="chance", volatile=True)
def cast() -> Roll:
    """Roll two dice."""
    number = random.random()
    return Roll(number, [number, 1.0])


@node("Sky", category="chance", volatile=True)
def sky(*, length: int = 1) -> str:
    """Tell the weather."""
    return "x" * length


class Odd:
    """Nothing that a codec knows."""


@node("Void", category="chance", volatile=True)
def void() -> Any:
    """Give what cannot be kept."""
    return Odd()


@node("Weigh", category="test", lane="device")
def weigh(value: float = 0.0, *, factor: float = 2.0) -> float:
    """Multiply on the device."""
    return value * factor


@node("Gauge", category="test")
def gauge(values: list[float], extra: Any = None) -> float:
    """Add up."""
    return sum(values)


@node("Full", category="test")
def full(value: float = 0.0) -> bool:
    """Whether it is enough."""
    return value > 3


@node("Print", category="output")
def print_(
    value: Any, *, copies: int = 2, name: str = "print", delivery: Delivery = here
) -> list[Artifact]:
    """Print a value several times."""
    return [
        delivery.write(name, "txt", f"{value} {index}".encode(), "text/plain")
        for index in range(copies)
    ]


functions: list[Any] = [read_note, read_all, cast, sky, void, weigh, gauge, full, print_]
catalog = Catalog(*(node_type(each) for each in (*functions, *toys.functions)))
