"""What a worker is given before its first message."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter

from server.settings import GIB

VARIABLE = "DARKROOM_WORKER"
"""The environment variable in which a process gets its outfit."""


@dataclass(frozen=True, slots=True)
class Outfit:
    """Where a worker computes, with which nodes, and where its files and results lie."""

    data: Path
    nodes: str = "nodes"
    device: str = ""
    """Empty for the best that its machine has."""
    disk_bytes: int = 20 * GIB
    """Of stored results on disk, for each namespace."""
    memory_bytes: int = 2 * GIB
    """Of stored results in memory, for all namespaces together."""
    shared_store: str = ""
    computing: Mapping[str, str | int | bool] = field(default_factory=dict)
    """How models compute: see `Settings.computing`."""
    carries: bool = False
    """Whether files come and go as messages, for the worker does not share the server's disk."""
    hang: float = 0.0
    """Seconds after which a worker whose threads all stand still ends itself; 0 for never."""

    def to_json(self) -> str:
        """As JSON, for a process that is started."""
        return _ADAPTER.dump_json(self).decode()

    @classmethod
    def from_json(cls, text: str) -> "Outfit":
        """The outfit in JSON."""
        return _ADAPTER.validate_json(text)


_ADAPTER = TypeAdapter(Outfit)
