"""What the server says to a worker and hears of it: JSON, and bytes beside it.

A message is one frozen dataclass; on the wire it is `{"is": its name, …fields}`. The same messages
go to a process beside the server and to one on another machine.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """Run a workflow. `run` names this attempt; a repeated job has another one."""

    run: str
    document: Json
    owner: str
    inputs: str
    """Folder for the pictures that the owner sent."""
    outputs: str
    """Folder for what is delivered."""
    previews: str
    namespace: str = ""
    """Whose stored results it may see and add to; empty for those that all share."""
    watched: bool = False
    """Whether somebody wants previews."""


@dataclass(frozen=True, slots=True)
class Lent:
    """A file of the owner's that a run may read, for a worker that does not share the server's disk.

    Said before the run.
    """

    run: str
    path: str
    """Its name in the folder of inputs."""
    blob: bytes


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop an attempt at the next progress of its nodes."""

    run: str


@dataclass(frozen=True, slots=True)
class Watch:
    """Send previews of an attempt, or no longer."""

    run: str
    previews: bool


@dataclass(frozen=True, slots=True)
class Ask:
    """A question besides the runs, such as `plan`; answered while a run goes on."""

    number: int
    question: str
    arguments: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stop:
    """Finish what runs now and leave; with `hurry`, stop it first at its next progress."""

    hurry: bool = False


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker can be given work."""

    pid: int
    device: str
    devices: tuple[str, ...]
    """The devices of its machine."""
    catalogue: str
    """Digest of its node catalogue."""
    profile: Json
    machine: str = ""


@dataclass(frozen=True, slots=True)
class Beat:
    """The worker lives; sent every second from a thread of its own."""

    rss: int
    own: int = 0
    """The part of it that holds no file: mapped weights can be let go at any time, this cannot."""
    warm: tuple[str, ...] = ()
    """The files whose weights are loaded."""
    memory: Json = field(default_factory=dict)
    """Of the device: bytes free and in all."""
    progressed: float = 0.0
    """Seconds since a node of the present run began, told its progress, or ended."""


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of a run: `node.started`, `node.progressed`, `node.finished`, `node.failed`, `warned`.

    A preview comes as bytes beside it, a JPEG.
    """

    run: str
    type: str
    data: Json
    blob: bytes = b""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A file of a run, from a worker that does not share the server's disk."""

    run: str
    path: str
    blob: bytes
    preview: bool = False
    """Whether it belongs to the folder of previews."""


@dataclass(frozen=True, slots=True)
class Done:
    """An attempt has ended, and everything it stored is stored.

    `outputs` are by name: `{"files": [{"path", "media_type", "digest", "size"}]}`, `{"value": …}` or
    `{"cells": [{"labels", "files" | "value"}]}`, with `problem` for a value that is too large; paths are relative to the folder of outputs or,
    with `"preview": true`, of previews. `nodes` are the fields of `jobs.model.NodeRecord`.
    """

    run: str
    state: Literal["succeeded", "failed", "cancelled"]
    outputs: Json
    nodes: tuple[Json, ...]
    error: Json | None = None
    """As a problem document: `title`, `detail`, `problems` with the fields of `Problem`."""
    delivered: Json = field(default_factory=dict)
    """What each output node gave, by node, in the form of `outputs`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question led to."""

    number: int
    value: Any = None
    error: Json | None = None
    blob: bytes = b""


ToWorker = Run | Lent | Cancel | Watch | Ask | Stop
FromWorker = Ready | Beat | Happened | Delivered | Done | Answer
