"""What a job is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]
FINAL: frozenset[JobState] = frozenset({"succeeded", "failed", "cancelled"})
ENDS: Mapping[str, JobState] = {f"job.{state}": state for state in sorted(FINAL)}
"""The final state that each event by which a job ends tells of."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """A graph to be run, as it was asked for. It was checked before."""

    owner: str
    document: Json
    """The workflow, with its values set."""
    name: str = ""
    priority: int = 0
    """Higher runs earlier; within one priority, the order of the queue counts."""
    front: bool = False
    """Whether it goes before the others of its priority."""
    id: str | None = None
    """A client's own id: ComfyUI's clients may choose one."""
    idempotency_key: str | None = None
    """Asked again with the same key by the same owner, the first job is the answer."""
    fingerprint: str = ""
    """Digest of the request, to tell a repetition from another request under the same key."""
    webhook: str | None = None
    wants: tuple[str, ...] = ()
    """The files that the graph names, to find a worker that has their models loaded."""
    origin: Json = field(default_factory=dict)
    """What the border that accepted it wants to see again, such as ComfyUI's prompt."""


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """What became of one node in a job."""

    node: str
    type: str
    state: Literal["ran", "stored", "skipped", "failed"]
    seconds: float = 0.0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Job:
    """An accepted job."""

    id: str
    number: int
    """Counts the jobs in the order of their acceptance."""
    owner: str
    name: str
    state: JobState
    priority: int
    rank: float
    """Its place within its priority: the lowest is next."""
    created: float
    """Seconds since 1970, as all times here."""
    started: float | None = None
    finished: float | None = None
    attempt: int = 0
    """How often it was started."""
    worker: str | None = None
    """The worker that runs it, or ran it last."""
    outputs: Json = field(default_factory=dict)
    """See `workers.messages.Done`."""
    error: Json | None = None
    """A problem document: why it failed."""
    webhook: str | None = None
    wants: tuple[str, ...] = ()
    retry_of: str | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which jobs to list, newest first unless `queue`."""

    owner: str | None = None
    """None: of all owners."""
    states: tuple[JobState, ...] = ()
    name: str | None = None
    text: str | None = None
    """Found in the name or the id."""
    since: float | None = None
    until: float | None = None
    queue: bool = False
    """In the order in which they will run."""
    starred: bool = False
    """Only jobs with a file that has a star."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the jobs that a filter finds."""

    jobs: tuple[Job, ...]
    total: int
    next: str | None
    """What to ask with for the next page; none if this is the last."""
