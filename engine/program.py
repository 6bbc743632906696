"""A checked workflow, ready to run: calls in the order of their links."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .canonical import canonical, digest
from .errors import Problem
from .flat import Unfold
from .links import Link, reached, replace_links
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
    work: Callable[[], float | None] | None = None
    """Foretells how much there is to compute; see `node`."""

    def take_links(self, item: Input, value: Any, links: tuple[Link, ...]) -> None:
        """Note an input whose value holds links."""
        self.arguments[item.name] = value
        self.linked.add(item.name)
        if item.lazy:
            self.lazy += links
        else:
            self.eager += links

    def key(self, type_digest: str, keys: Mapping[str, str], mark: str | None = None) -> str:
        """The derivation key.

        Args:
            type_digest: What the type contributes.
            keys: Of the nodes behind the links.
            mark: The fingerprint as canonical JSON, if it was not known beforehand.
        """
        texts = self.inputs_text(keys)
        inputs = ",".join([f"{name}={texts[name]}" for name in sorted(texts)])
        return digest(f"{type_digest}({inputs}){self.mark if mark is None else mark}")

    def inputs_text(self, keys: Mapping[str, str]) -> dict[str, str]:
        """Every input as canonical JSON, a link by the key of the node that it leads to."""
        if not self.linked:
            return self.texts
        texts = dict(self.texts)
        for name in self.linked:
            value = self.arguments[name]
            if type(value) is Link:
                texts[name] = f'{{"$link":["{keys[value.node]}","{value.output}"]}}'
            else:
                texts[name] = canonical(replace_links(value, lambda link: _key_json(link, keys)))
        return texts

    @property
    def amount(self) -> float | None:
        """How much there is to compute, if that is foretold."""
        try:
            return None if self.work is None else self.work()
        except (ValueError, OSError):  # what it would read is not as it was when it was checked
            return None

    @property
    def mark(self) -> str:
        """The fingerprint as canonical JSON."""
        return "" if self.fingerprint is None else canonical(self.fingerprint)


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
    places: Mapping[str, str] = field(default_factory=dict)
    """Where a node stands in the document, if that is not its id."""
    given: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Outputs by node that stand for running it, such as what a volatile node once gave."""
    warnings: tuple[Problem, ...] = ()
    """What is wrong with nodes that no target depends on; they have no calls."""


def behind(calls: Mapping[str, Call], starts: Iterable[str], *, lazy: bool) -> set[str]:
    """The nodes that `starts` depend on, themselves included; across lazy links if asked."""
    return reached(starts, lambda node: (link.node for link in _links(calls[node], lazy=lazy)))


def ranks(calls: Mapping[str, Call], targets: Iterable[str]) -> dict[str, int]:
    """What to make first where there is a choice: what can be ended, before anything is begun.

    Nodes come in an order in which each stands behind those it links to, and as soon as it can: a
    cell of a sweep is sampled, decoded and saved before the next one is sampled.
    """
    lacking: dict[str, int] = {}
    followers: dict[str, list[str]] = {}
    sources: list[str] = []
    pending = list(targets)[::-1]
    while pending:
        node = pending.pop()
        if node in lacking:
            continue
        needed = dict.fromkeys(link.node for link in _links(calls[node], lazy=True))
        lacking[node] = len(needed)
        if not needed:
            sources.append(node)
        for source in needed:
            followers.setdefault(source, []).append(node)
        pending.extend(reversed(needed))
    place = {node: index for index, node in enumerate(calls)}
    found: dict[str, int] = {}
    ready = sources[::-1]
    while ready:
        node = ready.pop()
        found[node] = len(found)
        freed = []
        for follower in followers.get(node, ()):
            lacking[follower] -= 1
            if lacking[follower] == 0:
                freed.append(follower)
        ready += sorted(freed, key=place.__getitem__, reverse=True)
    return found


def _links(call: Call, *, lazy: bool) -> Iterator[Link]:
    yield from call.eager
    if lazy:
        yield from call.lazy
