"""What the server tells, as typed values."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SkipValidation, ValidationError

from .errors import ApiError

Json = dict[str, Any]
JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]
FINAL: frozenset[str] = frozenset({"succeeded", "failed", "cancelled"})


class Told(BaseModel):
    """Something that the server told. What a newer server tells besides is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def read(cls, told: object) -> Self:
        """The value in JSON.

        Raises:
            ApiError: It has another form.
        """
        try:
            return cls.model_validate(told)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            message = f"the server's answer is not understood ({place}: {first['msg']})"
            hint = "use a client and a server of the same version"
            raise ApiError(0, "not_understood", message, hint=hint) from error


class Problem(Told):
    """One fault, with its place."""

    code: str
    message: str
    node: str | None = None
    input: str | None = None
    hint: str | None = None
    pointer: str | None = None
    """Into the body that was sent."""


class Failure(Told):
    """Why a job failed."""

    title: str = ""
    detail: str = ""
    code: str = "node_failed"
    problems: tuple[Problem, ...] = ()


class File(Told):
    """A file that a job delivered."""

    path: str
    url: str
    media_type: str
    size: int
    digest: str
    """SHA-256 of its bytes."""

    @property
    def name(self) -> str:
        """The last part of its path."""
        return PurePosixPath(self.path).name


class Cell(Told):
    """What one combination of a sweep's values gave."""

    labels: Json
    files: tuple[File, ...] = ()
    value: Any = None


class Given(Told):
    """One output: files, a value, or for a sweep the cells of a table."""

    files: tuple[File, ...] = ()
    value: Any = None
    cells: tuple[Cell, ...] = ()

    @property
    def all_files(self) -> tuple[File, ...]:
        """The files, those of all cells included."""
        return self.files + tuple(file for cell in self.cells for file in cell.files)


class Reached(Told):
    """How far the node is that reported last."""

    node: str
    type: str = ""
    done: int
    total: int


class Snapshot(Told):
    """A job as the server showed it."""

    id: str
    number: int = 0
    owner: str = ""
    name: str = ""
    state: JobState
    priority: int = 0
    position: int | None = None
    """Its place in the queue, from 1, if that was asked for."""
    created: datetime
    started: datetime | None = None
    finished: datetime | None = None
    seconds: float | None = None
    attempt: int = 0
    worker: str | None = None
    progress: Reached | None = None
    outputs: dict[str, Given] = Field(default_factory=dict)
    error: Failure | None = None
    webhook: str | None = None
    retry_of: str | None = None

    @property
    def ended(self) -> bool:
        """Whether it is in a final state."""
        return self.state in FINAL


class NodeRecord(Told):
    """What became of one node of a job."""

    node: str
    type: str
    state: str
    """`ran`, `stored` (its result was there), `skipped` or `failed`."""
    seconds: float = 0.0
    bytes: int = 0


class Event(Told):
    """Something that happened."""

    id: int
    type: str
    job: str | None = None
    time: float = 0.0
    """Seconds since 1970."""
    data: Json = Field(default_factory=dict)
    preview: SkipValidation[bytes] = b""
    """A JPEG of the present state, where previews were asked for."""

    @property
    def node(self) -> str | None:
        """The node that it is about."""
        node = self.data.get("node")
        return None if node is None else str(node)

    @property
    def fraction(self) -> float | None:
        """How far the node is, from 0 to 1, if it tells its progress."""
        total = self.data.get("total")
        return None if not total else float(self.data.get("done", 0)) / float(total)

    @property
    def snapshot(self) -> Snapshot | None:
        """The job as it was then, in the events that begin with `job.`."""
        told = self.data.get("job")
        return Snapshot.read(told) if isinstance(told, Mapping) else None


class WorkflowEntry(Told):
    """A saved workflow in a list."""

    name: str
    title: str = ""
    revision: str = ""
    shipped: bool = False
    """Whether it comes with Darkroom."""
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    fault: str | None = None


class Upload(Told):
    """A picture that was sent; a workflow names it by `name`."""

    name: str
    url: str = ""
    size: int = 0
    digest: str = ""
    width: int = 0
    height: int = 0


class PlannedNode(Told):
    """What a run would do about a node."""

    type: str = ""
    state: str
    """`stored` or `run`."""
    why: str
    seconds: float | None = None
    bytes: int | None = None
    peak: int | None = None
    created: float | None = None
    run: str | None = None
    nearest: Json | None = None
    changes: tuple[Json, ...] = ()


class Plan(Told):
    """What a run would do."""

    nodes: dict[str, PlannedNode]
    seconds: float = 0.0
    warnings: tuple[Problem, ...] = ()
    """What is wrong with nodes that no output depends on; the rest runs without them."""


class Explanation(Told):
    """Why nodes are stored or will run; `changed`, `run` and `gone` for an edit."""

    nodes: dict[str, PlannedNode]
    seconds: float = 0.0
    changed: tuple[str, ...] = ()
    run: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


class Health(Told):
    """How the server is."""

    status: str
    version: str
    workers: int = 0
    fault: str | None = None


class Queue(Told):
    """How the queue is, with the jobs by state."""

    paused: bool
    queued: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
