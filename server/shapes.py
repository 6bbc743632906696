"""Graphs of a shape that was checked before: of the next one only the values are looked at.

Most graphs that a server is sent are one that it knows, with another prompt or another seed.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from engine import literals
from engine.graphs import CONSTRUCTS
from engine.links import Link, Range, Varied
from engine.node import NodeType
from engine.workflow import Endpoint, Node, Workflow

MOST = 256
"""Shapes that are remembered; the one that was asked for least lately goes first."""
_SCALARS = (bool, int, float, str)


class _Unlike(Exception):  # noqa: N818 - never leaves this module
    """A graph whose check depends on more than each of its values."""


class Shaped(NamedTuple):
    """A graph taken apart: what its check depends on as a whole, and what each value must pass."""

    shape: tuple[object, ...]
    values: list[tuple[str, str, Any]]
    """The type of node, the input, and what stands in it."""


def shaped(workflow: Workflow) -> Shaped | None:
    """The shape and the values of a graph; none for one that has graphs within, or sweeps.

    Of a value the shape holds only its JSON type, which is all that others depend on.
    """
    if workflow.subgraphs or "conflicts" in workflow.extra:
        return None
    values: list[tuple[str, str, Any]] = []
    try:
        nodes = tuple(
            (name, node.type, node.version, node.mode, *_inputs(node, values))
            for name, node in workflow.nodes.items()
        )
    except _Unlike:
        return None
    inputs = tuple((name, *_ends(end)) for name, end in workflow.inputs.items())
    outputs = tuple((name, *_ends(end)) for name, end in workflow.outputs.items())
    return Shaped((nodes, inputs, outputs), values)


def _inputs(node: Node, values: list[tuple[str, str, Any]]) -> Iterator[object]:
    if node.type in CONSTRUCTS or "graph" in node.extra:
        raise _Unlike
    for name, value in node.inputs.items():
        yield name
        if isinstance(value, _SCALARS):
            values.append((node.type, name, value))
            yield type(value)
        elif value is None or isinstance(value, Link):
            yield value
        elif isinstance(value, (Varied, Range)):
            raise _Unlike
        else:
            try:
                yield json.dumps(value)
            except TypeError:  # it has links inside
                raise _Unlike from None


def _ends(end: Endpoint) -> Iterator[str]:
    for each in (end, *end.also):
        yield from (each.node, each.name)


@dataclass
class Shapes:
    """The shapes that passed the check against a catalogue."""

    types: Mapping[str, NodeType]
    known: dict[tuple[object, ...], None] = field(default_factory=dict)

    def passes(self, graph: Shaped) -> bool:
        """Whether a graph passes the check, as far as this is known without making it."""
        if graph.shape not in self.known:
            return False
        self.learn(graph)
        return all(self._holds(*place) for place in graph.values)

    def learn(self, graph: Shaped) -> None:
        """Remember the shape of a graph that passed the check."""
        self.known.pop(graph.shape, None)
        self.known[graph.shape] = None
        if len(self.known) > MOST:
            del self.known[next(iter(self.known))]

    def _holds(self, kind: str, name: str, value: object) -> bool:
        declared = self.types.get(kind)
        item = None if declared is None else declared.inputs.get(name)
        if item is None:  # of a muted node, or one of an old version
            return False
        try:
            literals.validated(item, value)
        except ValueError:  # the full check says what is wrong
            return False
        return True
