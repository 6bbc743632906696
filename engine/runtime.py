"""What one machine lends to a run: services, codecs, folders and the numeric profile."""

import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from .artifacts import Delivery, here
from .codecs import Codecs
from .difference import Difference, by_bytes
from .errors import InputError
from .node import Service


@dataclass
class Measured:
    """What one call took; `peak` is bytes of memory, None if it could not be measured."""

    peak: int | None = None


@contextmanager
def unmeasured() -> Iterator[Measured]:
    """Measures nothing."""
    yield Measured()


def bare_machine() -> dict[str, str]:
    """What is known of any machine: its Python and its platform."""
    return {"python": platform.python_version(), "platform": platform.platform()}


class Files(Protocol):
    """The files that inputs name: those whose JSON Schema says `files` and their kind."""

    def describe(self, kind: str, name: str) -> tuple[str, int]:
        """The SHA-256 and the bytes of a file.

        Raises:
            InputError: There is no such file.
            OSError: It cannot be read.
        """

    def search(self, kind: str, sha256: str, size: int | None) -> str | None:
        """The name of a file with that content; the size, if known, saves reading others."""

    def stand_in(self, kind: str, name: str, other: str) -> None:
        """Have the file `other` found by `name` from now on, in this process alone."""


@dataclass(frozen=True)
class NoFiles:
    """The `Files` of a package that has none."""

    def describe(self, kind: str, name: str) -> tuple[str, int]:
        raise InputError(f"there are no {kind} here", code="missing_file")

    def search(self, kind: str, sha256: str, size: int | None) -> str | None:
        return None

    def stand_in(self, kind: str, name: str, other: str) -> None:
        return


@dataclass(frozen=True)
class Runtime:
    """Made by the node package for a data folder and a device, without loading any model.

    `profile` holds what numbers depend on (library versions, device kind, dtype) and is part of
    every key; `machine` what they should not depend on and may. `compare` says how far a delivered
    file, the second, is from an earlier one. `meter` measures the calls of the device lane.
    """

    services: Mapping[type[Service], Service] = field(default_factory=dict)
    profile: Mapping[str, str] = field(default_factory=dict)
    codecs: Codecs = field(default_factory=Codecs)
    delivery: Delivery = here
    compare: Callable[[Path, Path], Difference] = by_bytes
    files: Files = field(default_factory=NoFiles)
    meter: Callable[[], AbstractContextManager[Measured]] = unmeasured
    machine: Callable[[], Mapping[str, str]] = bare_machine
