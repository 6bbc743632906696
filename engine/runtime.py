"""What one machine lends to a run: services, codecs, folders and the numeric profile."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .artifacts import Delivery, here
from .codecs import Codecs
from .node import Service


@dataclass(frozen=True)
class Runtime:
    """Made by the node package for a data folder and a device, without loading any model.

    `profile` holds what numbers depend on (library versions, device kind, dtype) and is part of
    every key.
    """

    services: Mapping[type[Service], Service] = field(default_factory=dict)
    profile: Mapping[str, str] = field(default_factory=dict)
    codecs: Codecs = field(default_factory=Codecs)
    delivery: Delivery = here
