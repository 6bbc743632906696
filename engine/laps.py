"""Loops and maps at work: further laps are made by copying the nodes of one, and asked for in turn."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Protocol

from pydantic import ValidationError

from .constructs import LOOP
from .errors import InputError
from .facts import parameters
from .flat import Unfold
from .grid import Axis, Grid
from .links import Link, links_in, replace_links
from .node import NodeType
from .program import LATE, Call

Follow = Callable[[Link], Any]
"""The value behind a link; ends the call if it is not there yet, to be called again when it is."""


class Graph(Protocol):
    """The graph of a run, which grows lap by lap."""

    unfolds: dict[str, Unfold]

    @property
    def calls(self) -> Mapping[str, Call]: ...

    def extend(self, owner: str, copies: Mapping[str, Call]) -> None: ...

    def hold(self, owner: str, node: str) -> None: ...

    def release(self, owner: str, node: str) -> None: ...

    def growing(self) -> AbstractContextManager[object]: ...


class Laps:
    """Computes the ends of loops and maps."""

    def __init__(self, graph: Graph, follow: Follow) -> None:
        self.graph, self.follow = graph, follow
        self.reached: dict[str, int] = {}
        """The lap that each loop has come to."""
        self.cells: dict[str, list[Any]] = {}
        """What each map has come to."""
        self.patterns: dict[str, list[Call]] = {}

    def outputs(self, call: Call) -> Mapping[str, Any]:
        """The outputs of the end of a loop or a map.

        Raises:
            InputError: A loop came to its bound and its condition is not true.
        """
        value = self._loop(call) if call.type.name == LOOP else self._map(call)
        return {NodeType.single: value}

    def _loop(self, call: Call) -> Any:
        times = self._value(call, "times", 0)
        if type(times) is not int or times < 1:
            raise InputError(f"times is {times!r}: give a whole number from 1", input="times")
        lap = self.reached.get(call.id, 0)
        while not self._is_last(call, lap, times):
            kept = self._carried(call, lap)
            self._let_go(call, lap, {link.node for link in kept})
            lap += 1
            self._unfold(call, lap)
            self.reached[call.id] = lap
        return self._value(call, "second" if lap else "first", lap)

    def _carried(self, call: Call, lap: int) -> list[Link]:
        """Where the values that go from a lap into the next one come from."""
        pairs = call.arguments["carried"]
        return [self._at(call, pair[min(lap, 1)], lap) for pair in pairs]

    def _hold(self, call: Call, link: Link) -> None:
        """Have a value stay, that the next lap begins with."""
        with self.graph.growing():
            self.follow(link)
            self.graph.hold(call.id, link.node)

    def _let_go(self, call: Call, lap: int, kept: set[str]) -> None:
        """Let go of what nothing asks for again once a lap has been found not to be the last."""
        names = ("next_until", "delivered") if lap else ("until",)
        links = [link for name in names for link in links_in(call.arguments[name])]
        nodes = {self._at(call, link, lap).node for link in links}
        nodes.update(link.node for link in self._carried(call, lap - 1) if lap)
        for node in nodes - kept:
            self.graph.release(call.id, node)

    def _is_last(self, call: Call, lap: int, times: int) -> bool:
        if lap:
            self._value(call, "delivered", lap)
        ends = lap + 1 >= times
        if not ends:  # asked for first, or it would be made once more behind the condition
            for link in self._carried(call, lap):
                self._hold(call, link)
        if not isinstance(call.arguments["until"], Link):
            return ends
        if self._value(call, "next_until" if lap else "until", lap):
            return True
        if ends:
            raise InputError(
                f"after {times} laps its condition is still not true: let it take more `times`, or see"
                " that what it waits for can come",
                code="endless_loop",
                input="times",
            )
        return False

    def _map(self, call: Call) -> Grid[Any]:
        lists = [_listed(replace_links(each, self.follow)) for each in call.arguments["items"]]
        lengths = {len(each) for each in lists}
        if len(lengths) > 1:
            text = ", ".join(str(len(each)) for each in lists)
            raise InputError(f"the lists are of different lengths: {text}", code="lengths")
        cells = self.cells.setdefault(call.id, [])
        for lap in range(len(cells), len(lists[0])):
            self._unfold(call, lap)
            self._value(call, "delivered", lap)
            cells.append(self._value(call, "first", lap))
        labels = tuple(_label(item, index) for index, item in enumerate(lists[0]))
        return Grid((Axis(str(call.arguments["name"]), labels),), tuple(cells))

    def _value(self, call: Call, name: str, lap: int) -> Any:
        return replace_links(
            call.arguments[name], lambda link: self.follow(self._at(call, link, lap))
        )

    # Further laps

    def _at(self, call: Call, link: Link, lap: int) -> Link:
        if lap == 0:
            return link
        return Link(_renamed(self.graph.unfolds[call.id], link.node, lap), link.output)

    def _unfold(self, call: Call, lap: int) -> None:
        """Add the nodes of a lap to the graph, but for those that another end has added."""
        if lap > self.graph.unfolds[call.id].lap:
            with self.graph.growing():
                self._copy_lap(call, lap)

    def _copy_lap(self, call: Call, lap: int) -> None:
        unfold = self.graph.unfolds[call.id]
        slots, calls = set(unfold.slots), self.graph.calls
        pattern = [
            inner
            for inner in self._pattern(call, unfold)
            if _renamed(unfold, inner.id, lap) not in calls
        ]
        for inner in pattern:
            nested = self.graph.unfolds.get(inner.id)
            if nested is not None:
                self.graph.unfolds[_renamed(unfold, inner.id, lap)] = replace(
                    nested,
                    prefix=_renamed(unfold, nested.prefix, lap),
                    slots=[(_renamed(unfold, node, lap), name) for node, name in nested.slots],
                )
        copies = {inner.id: _copied(inner, unfold, lap, slots) for inner in pattern}
        self.graph.extend(call.id, copies)

    def _pattern(self, call: Call, unfold: Unfold) -> list[Call]:
        """The nodes of the lap that further ones are copied from, each behind those it links to."""
        found = self.patterns.get(call.id)
        if found is not None:
            return found
        start = f"{unfold.prefix}/{unfold.lap}/"
        inside: set[str] = set()
        pending = [link.node for link in call.lazy]
        while pending:
            node = pending.pop()
            if node.startswith(start) and node not in inside:
                inside.add(node)
                pending += [
                    link.node
                    for link in (*self.graph.calls[node].eager, *self.graph.calls[node].lazy)
                ]
        found = [each for node, each in self.graph.calls.items() if node in inside]
        self.patterns[call.id] = found
        return found


def _renamed(unfold: Unfold, node: str, lap: int) -> str:
    """A node of the copied lap, or of the one before it, as it is called in another lap."""
    for number in (unfold.lap, unfold.lap - 1):
        start = f"{unfold.prefix}/{number}/"
        if node.startswith(start):
            return f"{unfold.prefix}/{lap - unfold.lap + number}/{node[len(start) :]}"
    return node


def _copied(call: Call, unfold: Unfold, lap: int, slots: set[tuple[str, str]]) -> Call:
    def moved(link: Link) -> Link:
        return Link(_renamed(unfold, link.node, lap), link.output)

    arguments, texts = dict(call.arguments), dict(call.texts)
    for name in call.linked:
        arguments[name] = replace_links(arguments[name], moved)
    numbered = {name for node, name in slots if node == call.id}
    for name in numbered:
        try:
            arguments[name] = call.type.inputs[name].adapter.validate_python(lap)
        except ValidationError as error:
            raise InputError(
                f'{name} of "{call.id}" cannot be {lap}, the number of the lap:'
                f" {error.errors()[0]['msg']}"
            ) from error
        texts[name] = str(lap)
    reads = call.type.fingerprint
    late = reads is not None and (call.linked | numbered).intersection(parameters(reads))
    return replace(
        call,
        fingerprint=LATE if late else call.fingerprint,
        id=_renamed(unfold, call.id, lap),
        arguments=arguments,
        texts=texts,
        eager=tuple(map(moved, call.eager)),
        lazy=tuple(map(moved, call.lazy)),
    )


def _listed(value: Any) -> list[Any]:
    if isinstance(value, Grid):
        return list(value.cells)
    if isinstance(value, (list, tuple)):
        return list(value)
    raise InputError(f"a map goes over a list, and this is {value!r:.60}", code="wrong_type")


def _label(value: Any, index: int) -> Any:
    return value if isinstance(value, (bool, int, float, str)) else index
