"""Which workers there are to be, how they are opened, and how they are watched."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from .line import Code, Line

WorkerState = Literal["starting", "idle", "busy", "lost"]


@dataclass(frozen=True, slots=True)
class Spec:
    """One worker that is to be kept alive."""

    id: str
    device: str = ""
    """Empty for the best that its machine has."""
    place: str = ""
    """Which machine, where there are several."""


Opener = Callable[[Spec], Awaitable[Line]]
"""Starts a worker. Raises OSError or `LineClosed` if that cannot be."""


@dataclass(frozen=True, slots=True)
class Care:
    """When a worker counts as hung or worn out, in seconds and bytes; None for never."""

    start: float = 120.0
    """What a worker is given to become ready."""
    beat: float = 60.0
    """Without a beat for so long it hangs."""
    stall: float | None = None
    """A run without progress for so long hangs."""
    most_bytes: int | None = None
    """A worker that holds more memory of its own after a run is replaced."""
    most_runs: int | None = None
    """A worker is replaced after so many runs."""
    first_pause: float = 0.5
    longest_pause: float = 10.0
    """Between starts of a worker that fails again and again; doubled from the first."""
    steady: float = 30.0
    """A worker that lived so long did not fail in starting."""
    tick: float = 0.25
    """How often all that is looked at."""
    reload: float | None = 2.0
    """How often the node packages' files are looked at."""
    leave: float = 40.0
    """What an idle worker is given to leave when it is replaced."""


class WorkerLost(Exception):  # noqa: N818 - the worker is lost, the job may be run again
    """The worker ended before the run or the question did."""

    def __init__(self, reason: str, code: Code = "died") -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


class NotTaken(WorkerLost):
    """The worker was gone or busy when it was given the run: nothing of it has begun."""


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A worker as it is now."""

    id: str
    device: str
    machine: str
    state: WorkerState
    pid: int
    rss: int
    warm: tuple[str, ...]
    memory: dict[str, Any] = field(default_factory=dict)
    run: str | None = None
    restarts: int = 0
    reason: str = ""
    """Why it is lost, or was the last time."""
    catalogue: str = ""
