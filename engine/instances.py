"""One node that stands for a graph, put in its place: once, for each item, or lap by lap."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, Protocol

from .constructs import GATHER, LOOP, MAP, SUBGRAPH
from .errors import InputError
from .flat import Flat, TooLargeError, Unfold
from .graphs import Definition
from .links import Link, Range, Varied, links_in, replace_links, unparsed
from .modes import Outer
from .node import NodeType
from .workflow import Node

BOUND = 1000
"""The laps that a loop with a condition may take, unless it says otherwise."""
INDEX = "index"
"""An input of this name, if the graph has it and it is not given, gets the number of the lap."""
Results = dict[str, Link | None]
"""What named outputs lead to; none for one that is muted."""


@dataclass(frozen=True)
class Lap:
    """The number of a lap, marked so that further laps can be given theirs."""

    owner: str
    number: int


class Expander(Protocol):
    """What an instance needs of the expansion that it is part of."""

    flat: Flat
    catalog: Mapping[str, NodeType]
    results: dict[str, Results]

    def level(
        self, definition: Definition, prefix: str, path: str, stack: tuple[object, ...]
    ) -> Results: ...


class Instance:
    """One node that stands for a graph, being put in its place."""

    def __init__(
        self,
        expander: Expander,
        flat: str,
        node: Node,
        found: Definition,
        stack: tuple[object, ...],
    ) -> None:
        self.expander, self.flat, self.node = expander, flat, node
        self.found, self.stack = found, stack
        self.graph = found.graph
        self.given = {
            n: v for n, v in node.inputs.items() if not (node.type == LOOP and n == "times")
        }
        for name in self.given:
            if name not in self.graph.inputs:
                near = get_close_matches(name, self.graph.inputs, 1)
                raise InputError(
                    f"the graph {found.name!r} has no input {name!r}; it has"
                    f" {', '.join(self.graph.inputs) or 'none'}",
                    code="unknown_input",
                    input=name,
                    hint=near[0] if near else None,
                )

    def expand(self) -> Results:
        """What stands for each output of the node."""
        if self.node.type == SUBGRAPH:
            return self.lap(self.flat, self.given)
        return self._map() if self.node.type == MAP else self._loop()

    def lap(self, prefix: str, given: Mapping[str, Any]) -> Results:
        """Put the graph in once, with some of its inputs given."""
        flat, nodes = self.expander.flat, dict(self.graph.nodes)
        for name, value in given.items():
            end = self.graph.inputs[name]
            source = flat.given.get((self.flat, name), (flat.place(self.flat), name))
            for each in (end, *end.also):
                if each.node in nodes:
                    outer = replace_links(value, lambda link: Outer(link.node, link.output))
                    nodes[each.node] = nodes[each.node].with_inputs({each.name: outer})
                    flat.given[f"{prefix}/{each.node}", each.name] = source
        definition = replace(self.found, graph=replace(self.graph, nodes=nodes))
        path = flat.place(self.flat) + "/"
        outputs = self.expander.level(definition, f"{prefix}/", path, self.stack)
        self.expander.results[prefix] = outputs
        return outputs

    def make_room(self, laps: int) -> None:
        """Raise `TooLargeError` at once if so many laps would be too many nodes."""
        if laps * len(self.graph.nodes) > self.expander.flat.most:
            raise TooLargeError

    def numbered(self, given: Mapping[str, Any], number: int) -> dict[str, Any]:
        """The given inputs, with the number of the lap if the graph asks for it."""
        if INDEX in self.graph.inputs and INDEX not in given:
            return {**given, INDEX: Lap(self.flat, number)}
        return dict(given)

    # Maps

    def _map(self) -> Results:
        lists = self._lists()
        if any(isinstance(value, Link) for value in lists.values()):
            return self._running_map(lists)
        lengths = {name: len(value) for name, value in lists.items()}
        if len(set(lengths.values())) > 1:
            raise InputError(
                "the lists are of different lengths: "
                + ", ".join(f"{name} {length}" for name, length in lengths.items()),
                code="lengths",
                input=next(iter(lists)),
            )
        self.make_room(next(iter(lengths.values())))
        laps = [
            self.lap(
                f"{self.flat}/{number}",
                self.numbered(self.given | dict(zip(lists, items, strict=True)), number),
            )
            for number, items in enumerate(zip(*lists.values(), strict=True))
        ]
        axis = {"name": next(iter(lists)), "labels": _labels(list(lists.values()))}
        results: Results = {}
        for name in self.graph.outputs:
            cells = [lap[name] for lap in laps]
            if None in cells:
                results[name] = None
                continue
            results[name] = self._tail(name, Node(GATHER, 1, {"cells": cells, "axes": [axis]}))
        return results

    def _lists(self) -> dict[str, Any]:
        each = self.node.extra.get("each")
        if not isinstance(each, list) or not each or not all(isinstance(n, str) for n in each):
            raise InputError('it needs "each": the names of the inputs that hold lists')
        lists: dict[str, Any] = {}
        for name in each:
            value = self.given.get(name)
            lists[name] = value.values() if isinstance(value, Range) else value
            if not isinstance(lists[name], (list, Link)):
                raise InputError(
                    f"{name} is {unparsed(value)!r:.60}: give a list, a range, or a link to a list",
                    code="wrong_type",
                    input=name,
                )
        return lists

    def _running_map(self, lists: Mapping[str, Any]) -> Results:
        prefix = f"{self.flat}/0"
        items = {}
        for name, value in lists.items():
            item = f"{prefix}/each.{name}"
            self.expander.flat.places[item] = self.expander.flat.place(self.flat)
            self.expander.flat.given[item, "items"] = (self.expander.flat.place(self.flat), name)
            self.expander.flat.add(
                item, Node("Item", 1, {"items": value, "index": Lap(self.flat, 0)})
            )
            items[name] = Link(item)
        outputs = self.lap(prefix, self.numbered(self.given | items, 0))
        inputs = {"items": list(lists.values()), "name": next(iter(lists))}
        inputs["delivered"] = self._postponed(prefix)
        return {
            name: link and self._tail(name, Node(MAP, 1, {**inputs, "first": link}), 0)
            for name, link in outputs.items()
        }

    # Loops

    def _loop(self) -> Results:
        carry = self._carry()
        until = self.node.extra.get("until")
        if until is not None and not (isinstance(until, str) and until in self.graph.outputs):
            raise InputError(
                f"until is {until!r}: give the name of an output of {self.found.name!r} that is true"
                f" when the loop is to end; it has {', '.join(self.graph.outputs)}",
                code="unknown_output",
            )
        times = self.node.inputs.get("times", None if until is None else BOUND)
        if not isinstance(times, (Link, Varied)) and (
            type(times) is not int or not 1 <= times <= 10**6
        ):
            raise InputError(
                f"times is {unparsed(times)!r:.40}: give a whole number from 1 to {10**6}",
                code="out_of_range",
                input="times",
            )
        static = until is None and isinstance(times, int)
        laps = times if static and isinstance(times, int) else 2
        self.make_room(laps)
        given = self.given
        outputs: list[Results] = []
        for number in range(laps):
            prefix = f"{self.flat}/{number}"
            outputs.append(self.lap(prefix, self.numbered(given, number)))
            given = given | {name: Link(prefix, output) for name, output in carry.items()}
        if static:
            return outputs[-1]
        return self._running_loop(times, until, list(carry.values()), *outputs)

    def _carry(self) -> dict[str, str]:
        carry = self.node.extra.get("carry")
        if carry is None:
            carry = {name: name for name in self.graph.outputs if name in self.graph.inputs}
        inputs, outputs = self.graph.inputs, self.graph.outputs
        if (
            not isinstance(carry, dict)
            or not carry
            or not all(isinstance(output, str) for output in carry.values())
            or not all(name in inputs and output in outputs for name, output in carry.items())
        ):
            raise InputError(
                "it carries nothing from lap to lap: give the graph an output named as one of its"
                ' inputs, or "carry": {input: output}; it takes'
                f" {', '.join(inputs) or 'nothing'} and gives {', '.join(outputs) or 'nothing'}",
                code="no_carry",
            )
        return carry

    def _running_loop(
        self,
        times: object,
        until: str | None,
        carry: list[str],
        first: Results,
        second: Results,
    ) -> Results:
        inputs: dict[str, Any] = {"times": times, "until": False, "next_until": False}
        if until is not None:
            inputs |= {"until": first[until], "next_until": second[until]}
        inputs["delivered"] = self._postponed(f"{self.flat}/1")
        inputs["carried"] = [
            [first[name], second[name]] for name in carry if first[name] and second[name]
        ]
        inputs["begun"] = [pair[0] for pair in inputs["carried"]]
        results: Results = {}
        for name, link in first.items():
            tail = Node(LOOP, 1, {"first": link, "second": second[name], **inputs})
            results[name] = None if None in tail.inputs.values() else self._tail(name, tail, 1)
        return results

    # Both

    def _tail(self, output: str, node: Node, lap: int | None = None) -> Link:
        tail = f"{self.flat}.{output}"
        flat = self.expander.flat
        flat.places[tail] = flat.place(self.flat)
        self.expander.flat.add(tail, node)
        if "times" in node.inputs:
            flat.given[tail, "times"] = (flat.place(self.flat), "times")
        if lap is not None:
            flat.unfolds[tail] = Unfold(self.flat, lap)
            if node.inputs["delivered"]:
                flat.wanted.append(tail)
        return Link(tail)

    def _postponed(self, prefix: str) -> list[Link]:
        """Leave the nodes of a lap to the running loop; links to those that deliver files."""
        flat = self.expander.flat
        inside = [node for node in flat.nodes if node.startswith(f"{prefix}/")]
        delivering = [node for node in inside if node not in flat.later and self._delivers(node)]
        delivering += [node for node in flat.wanted if node.startswith(f"{prefix}/")]
        flat.wanted = [node for node in flat.wanted if not node.startswith(f"{prefix}/")]
        flat.later.update(inside)
        return [Link(node, self._first_output(node)) for node in delivering]

    def _delivers(self, node: str) -> bool:
        declared = self.expander.catalog.get(self.expander.flat.nodes[node].type)
        return declared is not None and declared.delivers

    def _first_output(self, node: str) -> str:
        declared = self.expander.catalog.get(self.expander.flat.nodes[node].type)
        return NodeType.single if declared is None else next(iter(declared.outputs))


def _labels(lists: list[list[Any]]) -> list[Any]:
    """What to call each lap: the value, or the values of lists that advance together."""
    rows = [
        [_label(value, index) for value in row]
        for index, row in enumerate(zip(*lists, strict=True))
    ]
    return [row[0] if len(row) == 1 else ", ".join(map(str, row)) for row in rows]


def _label(value: Any, index: int) -> Any:
    return index if any(True for _ in links_in(value)) else unparsed(value)
