"""What happens in a run, as values for whoever watches."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

NodeState = Literal["ran", "stored", "skipped"]


@dataclass(frozen=True, slots=True)
class NodeStarted:
    """A node's function is about to be called."""

    node: str
    type_name: str


@dataclass(frozen=True, slots=True)
class NodeProgressed:
    """A node told how far it is. `preview` makes a picture of the present state when called."""

    node: str
    type_name: str
    done: int
    total: int
    preview: Callable[[], Any] | None = None


@dataclass(frozen=True, slots=True)
class NodeFinished:
    """A node's result is there: it ran, or came from the store."""

    node: str
    type_name: str
    state: NodeState
    seconds: float


@dataclass(frozen=True, slots=True)
class Warned:
    """Something is amiss that does not stop the run."""

    message: str
    node: str | None = None


Event = NodeStarted | NodeProgressed | NodeFinished | Warned
Watcher = Callable[[Event], None]
