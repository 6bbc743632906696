"""What a run led to."""

from dataclasses import dataclass, field
from typing import Any

from .events import NodeState


@dataclass(frozen=True, slots=True)
class NodeRun:
    """What became of one node in a run; `bytes` is what its result takes, 0 if not known."""

    state: NodeState
    seconds: float = 0.0
    type_name: str = ""
    bytes: int = 0


@dataclass(frozen=True)
class Result:
    """A run's named outputs, the values of its unnamed output nodes by node id, and every node."""

    outputs: dict[str, Any] = field(default_factory=dict)
    nodes: dict[str, NodeRun] = field(default_factory=dict)
