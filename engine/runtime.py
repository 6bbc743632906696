"""What one machine lends to a run: services, codecs, folders and the numeric profile."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .artifacts import Delivery, here
from .codecs import Codecs
from .difference import Difference, by_bytes
from .node import Service


@dataclass(frozen=True)
class Runtime:
    """Made by the node package for a data folder and a device, without loading any model.

    `profile` holds what numbers depend on (library versions, device kind, dtype) and is part of
    every key. `compare` says how far a delivered file, the second, is from an earlier one.
    """

    services: Mapping[type[Service], Service] = field(default_factory=dict)
    profile: Mapping[str, str] = field(default_factory=dict)
    codecs: Codecs = field(default_factory=Codecs)
    delivery: Delivery = here
    compare: Callable[[Path, Path], Difference] = by_bytes
