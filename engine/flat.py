"""A document as plain nodes: what its subgraphs, maps, loops and sweeps have become."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .errors import Problem
from .links import Link, links_in, reached
from .workflow import Node

MAX_NODES = 200_000
"""The most nodes that a document may become."""


@dataclass
class Unfold:
    """How a runner makes further laps: by copying the nodes under `prefix`/`lap`.

    `slots` are the inputs that hold the number of the lap.
    """

    prefix: str
    lap: int
    slots: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Flat:
    """A document as plain nodes, by ids that say where they come from, such as `portrait/sampler`."""

    nodes: dict[str, Node] = field(default_factory=dict)
    outputs: dict[str, Link] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    """Where a node stands in the document, if not under its id: laps of a loop stand in one place."""
    given: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    """Where an input's value stands, if not at the input: at the node that stands for the graph."""
    later: set[str] = field(default_factory=set)
    """Nodes that only a running loop may ask for."""
    unfolds: dict[str, Unfold] = field(default_factory=dict)
    wanted: list[str] = field(default_factory=list)
    """Ends of loops that are run for the files that their laps deliver."""
    silent: set[tuple[str, str]] = field(default_factory=set)
    """Inputs that lack a value because of a problem that is told elsewhere."""
    problems: list[Problem] = field(default_factory=list)
    most: int = MAX_NODES
    """How many nodes it may become."""

    def place(self, node: str) -> str:
        """Where a node stands in the document."""
        return self.places.get(node, node)

    def behind(self, starts: Iterable[str]) -> set[str]:
        """The nodes that others depend on, themselves included, by whatever link."""

        def sources(name: str) -> Iterator[str]:
            links = links_in(dict(self.nodes[name].inputs))
            return (link.node for link in links if link.node in self.nodes)

        return reached((name for name in starts if name in self.nodes), sources)

    def wrong(
        self,
        code: str,
        message: str,
        node: str | None = None,
        name: str | None = None,
        hint: str | None = None,
    ) -> None:
        """Record a problem, with its address in front of the message."""
        place = None if node is None else self.place(node)
        text = message if place is None else f'node "{place}": {message}'
        self.problems.append(Problem(code, text, place, name, hint))

    def add(self, flat: str, node: Node) -> None:
        """Take a node in.

        Raises:
            TooLargeError: There are too many.
        """
        if len(self.nodes) >= self.most:
            raise TooLargeError
        if flat in self.nodes:
            self.wrong(
                "id_taken",
                f"its id is also that of a node which a graph or a sweep becomes, {flat!r}: give one of"
                " the two another",
                flat,
            )
        self.nodes[flat] = node


class TooLargeError(Exception):
    """The document would become more nodes than it may."""
