"""What happens in a run, as values for whoever watches."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from .errors import NodeError

NodeState = Literal["ran", "stored", "skipped", "failed"]


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
    """A node's result is there: it ran, or came from the store.

    `bytes` is what the result takes in memory; 0 if it is not known.
    """

    node: str
    type_name: str
    state: NodeState
    seconds: float
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class NodeFailed:
    """A node raised, or what it reads could not be told. The run ends once others have ended.

    What was raised is the `__cause__` of `error`, which knows the node's place in the document.
    """

    node: str
    type_name: str
    error: NodeError
    seconds: float = 0.0

    @property
    def reason(self) -> str:
        """Why, in words for the person who runs it."""
        return self.error.reason


@dataclass(frozen=True, slots=True)
class Warned:
    """Something is amiss that does not stop the run."""

    message: str
    node: str | None = None


Event = NodeStarted | NodeProgressed | NodeFinished | NodeFailed | Warned
Watcher = Callable[[Event], None]
