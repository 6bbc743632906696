"""What one machine lends to a run: services, codecs, folders and the numeric profile."""

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

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

    def place(self, kind: str, name: str) -> Path:
        """Where a file lies.

        Raises:
            InputError: There is no such file.
        """

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

    def place(self, kind: str, name: str) -> Path:
        raise InputError(f"there are no {kind} here", code="missing_file")

    def describe(self, kind: str, name: str) -> tuple[str, int]:
        raise InputError(f"there are no {kind} here", code="missing_file")

    def search(self, kind: str, sha256: str, size: int | None) -> str | None:
        return None

    def stand_in(self, kind: str, name: str, other: str) -> None:
        return


Services = Mapping[type[Service], Service]


def no_bytes() -> int:
    """Of what a package holds nothing of."""
    return 0


@dataclass(frozen=True)
class Runtime:
    """Made by the node package for a data folder and a device, without loading any model.

    `profile` holds what numbers depend on (library versions, device kind, dtype) and is part of
    every key; `machine` what they should not depend on and may. `compare` says how far a delivered
    file, the second, is from an earlier one. `meter` measures the calls of the device lane.

    What serves runs asks for the rest. What a package cannot do with pictures is None.
    """

    services: Services = field(default_factory=dict)
    profile: Mapping[str, str] = field(default_factory=dict)
    codecs: Codecs = field(default_factory=Codecs)
    delivery: Delivery = here
    compare: Callable[[Path, Path], Difference] = by_bytes
    files: Files = field(default_factory=NoFiles)
    meter: Callable[[], AbstractContextManager[Measured]] = unmeasured
    machine: Callable[[], Mapping[str, str]] = bare_machine
    lend_from: "Callable[[Sequence[Path]], tuple[Services, Files]] | None" = None
    """Services and files that find pictures in these folders instead; models are shared."""
    picture: Callable[[Any], bytes] | None = None
    """Turns what a node's preview gives into a JPEG of 256 to 512 pixels."""
    thumbnail: Callable[[Path, int], bytes] | None = None
    """A picture file as a JPEG or PNG that fits into a square of so many pixels."""
    probe: Callable[[Path], Mapping[str, Any]] | None = None
    """`width`, `height` and `format` of a picture file; `InputError` for another, or a bomb."""
    merged: Callable[[Path | None, Path | None], bytes] | None = None
    """A PNG with the colours of one picture file and the alpha channel of another; None for neither."""
    embedded: Callable[[Path], Mapping[str, Any]] | None = None
    """What a file tells of its making, by keyword: `darkroom`, and other programs' own."""
    warm: Callable[[], tuple[str, ...]] = tuple
    """The names of the files whose weights are loaded."""
    free: Callable[[], int] = no_bytes
    """Lets go of all loaded weights that nobody is using. Returns how many bytes that were."""
    memory: Callable[[], Mapping[str, int]] = dict
    """Bytes of the device, `free` and `total`, as far as they are known."""

    def with_inputs(self, *folders: Path) -> "Runtime":
        """The runtime that finds pictures in these folders, and in no others but the package's own."""
        if self.lend_from is None:
            return self
        services, files = self.lend_from(folders)
        return replace(self, services=services, files=files)
