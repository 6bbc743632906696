"""What is known of values before a run, gathered node by node in the order of their links."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from inspect import signature
from typing import Any, get_origin

from .flat import Unfold
from .grid import Grid
from .known import is_value, lasting
from .links import Link, links_in, reached, replace_links
from .node import UNKNOWN, NodeType, Service
from .program import Call
from .types import plain


@cache
def parameters(function: Callable[..., object]) -> tuple[str, ...]:
    """The names of a function's parameters, in order."""
    return tuple(signature(function).parameters)


class Facts:
    """The facts about nodes' outputs, by their links."""

    def __init__(
        self, services: Mapping[type[Service], Service], unfolds: Mapping[str, Unfold]
    ) -> None:
        self._services = services
        self._laps = {f"{unfold.prefix}/{unfold.lap}" for unfold in unfolds.values()}
        """The laps that stand for all further ones of running loops and maps."""
        self._numbers = {slot for unfold in unfolds.values() for slot in unfold.slots}
        self._known: dict[Link, Any] = {}
        self._idle: set[tuple[str, str]] = set()

    def behind(self, call: Call, name: str) -> Any:
        """An input's value, with facts in place of its links."""

        def fact(link: Link) -> Any:
            found = self._known.get(link, UNKNOWN)
            return lasting(found) if self._is_carried(link.node, call.id) else found

        return replace_links(call.arguments[name], fact)

    def _is_carried(self, source: str, node: str) -> bool:
        """Whether a link leads from one lap of a running loop into the one that stands for the others."""
        if not self._laps:
            return False
        from_, to = source.split("/"), node.split("/")
        at = next((n for n, (a, b) in enumerate(zip(from_, to, strict=False)) if a != b), 0)
        return "/".join(to[: at + 1]) in self._laps and from_[at] == "0"

    def value(self, call: Call, name: str) -> Any:
        """The value that will come by an input's link, or `UNKNOWN`."""
        fact = self.behind(call, name) if self._known else UNKNOWN
        if not is_value(fact):
            return UNKNOWN
        item = call.type.inputs[name]
        gathers = get_origin(plain(item.hint)) is Grid
        return UNKNOWN if item.lazy or gathers else fact

    def arguments(self, call: Call, function: Callable[..., object]) -> dict[str, Any]:
        """What a function that speaks about a node's inputs is called with.

        Those inputs and services of the node that the function has parameters for: facts behind
        links, and known values as the node itself would get them.
        """
        arguments: dict[str, Any] = {}
        for name in parameters(function):
            if name in call.type.services:
                arguments[name] = self._services[call.type.services[name]]
            elif name in call.linked:
                value = self.value(call, name)
                adapter = call.type.inputs[name].adapter
                arguments[name] = (
                    self.behind(call, name) if value is UNKNOWN else adapter.validate_python(value)
                )
            elif name in call.arguments:
                arguments[name] = call.arguments[name]
            elif name in call.type.inputs:
                arguments[name] = call.type.inputs[name].default
        return arguments

    def infer(self, call: Call, function: Callable[..., Any]) -> None:
        """Note what a node's `infer`, or the node itself if that serves, says of its outputs.

        Raises:
            ValueError: What the function raises.
            OSError: What the function raises.
        """
        arguments = self.arguments(call, function)
        for name in arguments:
            if (call.id, name) in self._numbers:
                arguments[name] = UNKNOWN
        if function is call.type.function and any(map(has_unknown, arguments.values())):
            return
        items, asked = call.type.inputs, set[str]()
        lazy = {name for name in arguments if name in items and items[name].lazy}
        for name in lazy:
            arguments[name] = partial(_asked, asked, name, arguments[name])
        given = function(**arguments)
        self._idle |= {(call.id, name) for name in lazy - asked}
        outputs = call.type.outputs
        if len(outputs) == 1 and NodeType.single in outputs:
            given = (given,)
        if isinstance(given, tuple) and len(given) == len(outputs):
            for name, fact in zip(outputs, given, strict=True):
                self._known[Link(call.id, name)] = fact

    def needed(self, targets: Iterable[str], calls: Mapping[str, Call]) -> set[str]:
        """The nodes that a run may come to: all behind the targets, but for branches known not to be."""

        def sources(node: str) -> Iterator[str]:
            call = calls[node]
            for name in call.linked:
                if (node, name) not in self._idle:
                    links = links_in(call.arguments[name])
                    yield from (link.node for link in links if link.node in calls)

        return reached((target for target in targets if target in calls), sources)


def _asked(asked: set[str], name: str, fact: Any) -> Any:
    """A lazy input, as an `infer` sees it."""
    asked.add(name)
    return fact


def has_unknown(value: object) -> bool:
    """Whether `UNKNOWN` is anywhere in a value."""
    if isinstance(value, (list, tuple)):
        return any(map(has_unknown, value))
    if isinstance(value, dict):
        return any(map(has_unknown, value.values()))
    return value is UNKNOWN
