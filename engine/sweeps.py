"""Sweeps: inputs that are axes turn what is behind them into a grid of plain nodes."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from math import prod
from typing import Any, get_origin

from .constructs import GATHER
from .errors import InputError
from .flat import Flat
from .grid import Grid
from .links import Link, Varied, links_in, replace_links, unparsed
from .node import NodeType
from .types import plain
from .workflow import Node

_LONGEST = 24
"""Letters of a label that an id may hold."""
_MARKS = "/[],="
"""What ids are made with."""
Cell = Mapping[str, int]
"""A place on each axis."""


@dataclass
class _Axis:
    """What varies together: the inputs that share a name."""

    name: str
    values: dict[tuple[str, str], list[Any]] = field(default_factory=dict)

    @cached_property
    def length(self) -> int:
        """How many places it has."""
        return len(next(iter(self.values.values())))

    @cached_property
    def labels(self) -> list[Any]:
        """What to call each place: the value of the first input."""
        first = next(iter(self.values.values()))
        return [f"{v.node}.{v.output}" if isinstance(v, Link) else unparsed(v) for v in first]

    @cached_property
    def marks(self) -> list[str]:
        """The labels as parts of node ids, all different."""
        texts = [v if isinstance(v, str) else json.dumps(v) for v in self.labels]
        if not all(map(_is_short, texts)) or len(set(texts)) < len(texts):
            texts = [f"#{index}" for index in range(len(texts))]
        name = "".join("_" if letter in _MARKS else letter for letter in self.name)
        return [f"{name}={text}" for text in texts]


def _is_short(text: str) -> bool:
    return len(text) <= _LONGEST and not set(text) & set(_MARKS)


def sweep(
    flat: Flat,
    order: list[str],
    catalog: Mapping[str, NodeType],
    names: Mapping[tuple[str, str], str],
) -> Flat:
    """The graph with every node behind an axis once for each of its cells.

    Args:
        flat: Plain nodes, in which inputs may be `Varied`.
        order: The nodes, each behind those it links to; those on a cycle are left out.
        catalog: The node types.
        names: What the document calls an input, if it has a name for it.

    An input that takes a `Grid` gathers the cells behind its link; so does a named output.
    """
    sweeper = _Sweeper(flat, catalog, names)
    if not sweeper.found:
        return flat
    if len(order) < len(flat.nodes):  # a cycle, which is told elsewhere
        return sweeper.without_axes()
    sweeper.span(order)
    return sweeper.without_axes() if sweeper.failed else sweeper.spread()


class _Sweeper:
    def __init__(
        self, flat: Flat, catalog: Mapping[str, NodeType], names: Mapping[tuple[str, str], str]
    ) -> None:
        self.flat, self.catalog = flat, catalog
        self.axes: dict[str, _Axis] = {}
        self.failed = False
        self.found = [
            (node_id, name, value)
            for node_id, node in flat.nodes.items()
            for name, value in node.inputs.items()
            if isinstance(value, Varied)
        ]
        self.own: dict[tuple[str, str], str] = {}
        for node_id, name, value in self.found:
            where = flat.given.get((node_id, name), (flat.place(node_id), name))
            self._add(node_id, name, value, value.name or names.get(where) or ".".join(where))
        self.spans: dict[str, tuple[str, ...]] = {}
        """The axes that each node varies along, in the order of the axes."""
        self.new = replace(
            flat,
            nodes={},
            outputs={},
            places=dict(flat.places),
            given=dict(flat.given),
            later=set(),
            unfolds={},
            wanted=[],
        )

    def _add(self, node_id: str, name: str, value: Varied, axis_name: str) -> None:
        try:
            values = value.listed()
            _check_kinds(values)
            axis = self.axes.get(axis_name) or _Axis(axis_name)
            _check_length(axis, len(values))
        except InputError as error:
            self.failed = True
            self.flat.wrong(error.code, f"the axis {name}: {error}", node_id, name, error.hint)
            return
        axis.values[node_id, name] = values
        self.axes[axis_name] = axis
        self.own[node_id, name] = axis_name

    # Which node varies along which axes

    def span(self, order: list[str]) -> None:
        """Find the axes of every node, and whether there is room for all cells."""
        for node_id in order:
            self.spans[node_id] = self._sorted(self._through(node_id))
        cells = {
            span: prod(self.axes[name].length for name in span) for span in set(self.spans.values())
        }
        if sum(cells[span] for span in self.spans.values()) > self.flat.most:
            self.failed = True
            span = max(cells, key=cells.__getitem__)
            lengths = " x ".join(f"{name} ({self.axes[name].length})" for name in span)
            node_id, name = next(iter(self.axes[span[0]].values))
            self.flat.wrong(
                "too_large",
                f"the axes make {cells[span]:,} cells: {lengths}; a workflow may become {self.flat.most:,}"
                " nodes: give fewer values, or let axes advance together under one name",
                node_id,
                name,
            )

    def _through(self, node_id: str) -> set[str]:
        """The axes that reach a node other than through an input that gathers them."""
        found: set[str] = set()
        for name, value in self.flat.nodes[node_id].inputs.items():
            if (node_id, name) in self.own:
                found.add(self.own[node_id, name])
            if not self._gathers(node_id, name):
                found.update(*(self.spans.get(link.node, ()) for link in links_in(value)))
        return found

    def _gathers(self, node_id: str, name: str) -> bool:
        declared = self.catalog.get(self.flat.nodes[node_id].type)
        item = declared.inputs.get(name) if declared else None
        return item is not None and get_origin(plain(item.hint)) is Grid

    def _sorted(self, names: set[str]) -> tuple[str, ...]:
        return tuple(name for name in self.axes if name in names) if names else ()

    def without_axes(self) -> Flat:
        """The graph with the axes left out, to find what else is wrong with it."""
        nodes = dict(self.flat.nodes)
        for node_id, name, _ in self.found:
            inputs = {n: value for n, value in nodes[node_id].inputs.items() if n != name}
            nodes[node_id] = replace(nodes[node_id], inputs=inputs)
            self.flat.silent.add((node_id, name))
        return replace(self.flat, nodes=nodes)

    # The cells

    def spread(self) -> Flat:
        """The graph with a node for each cell."""
        for node_id in self.flat.nodes:
            for cell in self._cells(self.spans[node_id]):
                self._place(node_id, cell)
        self.new.silent = {(copy, n) for node, n in self.flat.silent for copy in self._copies(node)}
        self.new.later = {copy for node in self.flat.later for copy in self._copies(node)}
        self.new.wanted = [copy for node in self.flat.wanted for copy in self._copies(node)]
        for tail, unfold in self.flat.unfolds.items():
            slots = [(copy, name) for node, name in unfold.slots for copy in self._copies(node)]
            for copy in self._copies(tail):
                self.new.unfolds[copy] = replace(unfold, slots=slots)
        for name, link in self.flat.outputs.items():
            self.new.outputs[name] = self._gathered(f"outputs.{name}", link, {})
        return self.new

    def _copies(self, node_id: str) -> list[str]:
        span = self.spans[node_id]
        return [node_id + self._suffix(span, cell) for cell in self._cells(span)]

    def _cells(self, span: tuple[str, ...]) -> Iterator[Cell]:
        for places in product(*(range(self.axes[name].length) for name in span)):
            yield dict(zip(span, places, strict=True))

    def _suffix(self, span: tuple[str, ...], cell: Cell) -> str:
        parts = [self.axes[name].marks[cell[name]] for name in span]
        return f"[{','.join(parts)}]" if parts else ""

    def _place(self, node_id: str, cell: Cell) -> None:
        node = self.flat.nodes[node_id]
        copy = node_id + self._suffix(self.spans[node_id], cell)
        inputs: dict[str, Any] = {}
        for name, value in node.inputs.items():
            if (node_id, name) in self.flat.given:
                self.new.given[copy, name] = self.flat.given[node_id, name]
            axis = self.own.get((node_id, name))
            if axis is not None:
                value = self.axes[axis].values[node_id, name][cell[axis]]  # noqa: PLW2901
            inputs[name] = replace_links(value, self._follower(node_id, name, copy, cell))
        self.new.places[copy] = self.flat.place(node_id)
        self.new.add(copy, replace(node, inputs=inputs))

    def _follower(self, node_id: str, name: str, copy: str, cell: Cell) -> Callable[[Link], Link]:
        if self._gathers(node_id, name):
            return lambda link: self._gathered(f"{copy}.{name}", link, cell)
        return lambda link: self._cell_of(link, cell)

    def _cell_of(self, link: Link, cell: Cell) -> Link:
        return Link(link.node + self._suffix(self.spans.get(link.node, ()), cell), link.output)

    def _gathered(self, node_id: str, link: Link, fixed: Cell) -> Link:
        """A link to the grid of all cells behind a link, along the axes that are not fixed."""
        span = self.spans.get(link.node, ())
        free = tuple(name for name in span if name not in fixed)
        if not free:
            return self._cell_of(link, fixed)
        cells = [self._cell_of(link, {**fixed, **cell}) for cell in self._cells(free)]
        axes = [{"name": name, "labels": self.axes[name].labels} for name in free]
        while node_id in self.new.nodes or node_id in self.flat.nodes:
            node_id += "_"
        self.new.add(node_id, Node(GATHER, 1, {"cells": cells, "axes": axes}))
        self.new.places[node_id] = self.flat.place(link.node)
        return Link(node_id)


def _check_length(axis: _Axis, length: int) -> None:
    """Raise `InputError` unless so many values fit beside what the axis has."""
    if axis.values and axis.length != length:
        node_id, name = next(iter(axis.values))
        raise InputError(
            f"it has {length} values and {node_id}.{name} of the same axis {axis.name!r} has"
            f" {axis.length}: give as many, or another name",
            code="lengths",
        )


def _check_kinds(values: list[Any]) -> None:
    """Raise `InputError` unless the values of an axis are there and of one kind."""
    if not values:
        raise InputError("it is empty: give at least one value", code="empty_axis")
    kinds: dict[str, Any] = {}
    for value in values:
        kinds.setdefault(_kind(value), value)
    if len(kinds) > 1:
        examples = " and ".join(f"{kind} ({unparsed(v)!r:.40})" for kind, v in kinds.items())
        raise InputError(f"it mixes {examples}: give values of one kind", code="mixed_axis")


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    kinds = ((int, "numbers"), (float, "numbers"), (str, "texts"), (Link, "links"), (list, "lists"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "objects")
