"""Loops and maps at work: further laps are made by copying the nodes of one, and asked for in turn."""

from collections.abc import Callable, Iterable, Mapping
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

    def extend(self, owner: str, calls: Iterable[Call]) -> None: ...

    def release(self, owner: str, node: str) -> None: ...


class Laps:
    """Computes the ends of loops and maps."""

    def __init__(self, graph: Graph, follow: Follow) -> None:
        self.graph, self.follow = graph, follow
        self.reached: dict[str, int] = {}
        """The lap that each loop or map has come to."""
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
            for link in links_in(call.arguments["next_until" if lap else "until"]):
                self.graph.release(call.id, self._at(call, link, lap).node)
            lap += 1
            self._unfold(call, lap)
            self.reached[call.id] = lap
        return self._value(call, "second" if lap else "first", lap)

    def _is_last(self, call: Call, lap: int, times: int) -> bool:
        if lap:
            self._value(call, "delivered", lap)
        if not isinstance(call.arguments["until"], Link):
            return lap + 1 >= times
        if self._value(call, "next_until" if lap else "until", lap):
            return True
        if lap + 1 >= times:
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
        cells = []
        for lap in range(len(lists[0])):
            if lap >= self.reached.get(call.id, 0):
                self._unfold(call, lap)
                self._value(call, "delivered", lap)
                self.reached[call.id] = lap + 1
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
        unfold = self.graph.unfolds[call.id]
        if lap <= unfold.lap:
            return
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
        self.graph.extend(call.id, [_copied(inner, unfold, lap, slots) for inner in pattern])

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
    for name in [name for node, name in slots if node == call.id]:
        try:
            arguments[name] = call.type.inputs[name].adapter.validate_python(lap)
        except ValidationError as error:
            raise InputError(
                f'{name} of "{call.id}" cannot be {lap}, the number of the lap:'
                f" {error.errors()[0]['msg']}"
            ) from error
        texts[name] = str(lap)
    reads = call.type.fingerprint
    late = reads is not None and call.linked.intersection(parameters(reads))
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
