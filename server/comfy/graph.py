"""A ComfyUI graph as it was read, in whichever of its formats."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
Mode = Literal["normal", "mute", "bypass"]
OUTSIDE = "-10"
"""The id by which a subgraph's nodes link to its inputs, in ComfyUI's own files."""


@dataclass(frozen=True, slots=True)
class Wire:
    """An output of a node, by its number."""

    node: str
    slot: int


@dataclass(frozen=True)
class Placed:
    """A node in a ComfyUI graph. Values of `inputs` are JSON or a `Wire`."""

    id: str
    type: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    mode: Mode = "normal"
    title: str = ""
    view: Json = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    """What the file calls the outputs, if it does."""
    rest: Json = field(default_factory=dict)
    """What the file says of the node beyond that, and nobody here understands."""
    after: Mapping[str, str] = field(default_factory=dict)
    """What ComfyUI makes of an input's value after each run, such as `randomize`."""

    @property
    def values(self) -> Json:
        """The inputs that are given as values."""
        return {name: value for name, value in self.inputs.items() if not isinstance(value, Wire)}


@dataclass(frozen=True)
class Shared:
    """A value that the editor gives to several inputs: a PrimitiveNode."""

    title: str
    targets: tuple[tuple[str, str], ...]
    """Node and input."""


@dataclass(frozen=True)
class Graph:
    """Nodes by id, with what the editor shows around them."""

    nodes: Mapping[str, Placed] = field(default_factory=dict)
    name: str = ""
    inputs: tuple[tuple[str, str], ...] = ()
    """Of a subgraph: names and types."""
    outputs: tuple[tuple[str, Wire | None], ...] = ()
    """Of a subgraph: names, and where they come from."""
    subgraphs: "Mapping[str, Graph]" = field(default_factory=dict)
    """By the type that their nodes have."""
    shared: tuple[Shared, ...] = ()
    view: Json = field(default_factory=dict)
    rest: Json = field(default_factory=dict)
