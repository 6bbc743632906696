"""A checked workflow, ready to run: calls in the order of their links."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .canonical import canonical, digest
from .flat import Unfold
from .keys import VOLATILE, TypeDigests, volatile_key
from .links import Link, replace_links
from .node import Input, NodeType
from .workflow import Workflow


class _Late:
    """Stands for a fingerprint that needs the value behind a link: known only in the run."""


LATE: Final = _Late()


@dataclass(slots=True)
class Call:
    """One node with its inputs checked: values as the function takes them, `Link`s inside."""

    id: str
    type: NodeType
    arguments: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    """The canonical JSON of every input that holds no link, defaults included."""
    linked: set[str] = field(default_factory=set)
    """The inputs that hold links."""
    eager: tuple[Link, ...] = ()
    lazy: tuple[Link, ...] = ()
    fingerprint: object = None

    def take_links(self, item: Input, value: Any, links: tuple[Link, ...]) -> None:
        """Note an input whose value holds links."""
        self.arguments[item.name] = value
        self.linked.add(item.name)
        if item.lazy:
            self.lazy += links
        else:
            self.eager += links

    def key(self, type_digest: str, keys: Mapping[str, str]) -> str:
        """The derivation key, from the type's digest and the keys of the nodes behind the links."""
        if self.type.volatile or self.fingerprint is LATE:
            return volatile_key()
        for link in (*self.eager, *self.lazy):
            if keys[link.node].startswith(VOLATILE):
                return volatile_key()
        texts = self.texts
        if self.linked:
            texts = dict(texts)
            for name in self.linked:
                value = self.arguments[name]
                if type(value) is Link:
                    texts[name] = f'{{"$link":["{keys[value.node]}","{value.output}"]}}'
                else:
                    texts[name] = canonical(
                        replace_links(value, lambda link: _key_json(link, keys))
                    )
        inputs = ",".join([f"{name}={texts[name]}" for name in sorted(texts)])
        mark = "" if self.fingerprint is None else canonical(self.fingerprint)
        return digest(f"{type_digest}({inputs}){mark}")


def _key_json(link: Link, keys: Mapping[str, str]) -> object:
    return {"$link": [keys[link.node], link.output]}


@dataclass(frozen=True)
class Program:
    """Calls in an order in which every node stands behind those it links to."""

    workflow: Workflow
    calls: Mapping[str, Call]
    outputs: Mapping[str, Link]
    """Where the workflow's named outputs come from."""
    targets: tuple[str, ...] = field(default=())
    """The nodes that a run is for: those of the named outputs, and those that deliver files."""
    unfolds: Mapping[str, Unfold] = field(default_factory=dict)
    """How the ends of running loops and maps get further laps."""
    given: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Outputs by node that stand for running it, such as what a volatile node once gave."""

    def keys(self, digests: TypeDigests) -> dict[str, str]:
        """Every node's key."""
        keys: dict[str, str] = {}
        for call in self.calls.values():
            keys[call.id] = call.key(digests.of(call.type), keys)
        return keys

    def behind(self, starts: Iterable[str], *, lazy: bool) -> set[str]:
        """The nodes that `starts` depend on, themselves included; across lazy links if asked."""
        seen: set[str] = set()
        pending = list(starts)
        while pending:
            node = pending.pop()
            if node not in seen:
                seen.add(node)
                pending.extend(link.node for link in _links(self.calls[node], lazy=lazy))
        return seen


def _links(call: Call, *, lazy: bool) -> Iterator[Link]:
    yield from call.eager
    if lazy:
        yield from call.lazy
