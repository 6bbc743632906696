"""How two workflows differ: in nodes, values and links, not in lines."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, cast

from .naming import link_target, renamed, renames
from .node import Json
from .places import ABSENT, Place, same
from .wording import change_shown, printable, shown
from .workflow import Workflow

Kind = Literal[
    "node_added",
    "node_removed",
    "node_renamed",
    "node_type_changed",
    "node_mode_changed",
    "node_key_changed",
    "input_set",
    "input_changed",
    "input_linked",
    "input_removed",
    "named_input_added",
    "named_input_removed",
    "named_input_changed",
    "named_output_added",
    "named_output_removed",
    "named_output_changed",
    "subgraph_added",
    "subgraph_removed",
    "document_changed",
    "view_changed",
]


@dataclass(frozen=True)
class Change:
    """One difference between two workflows, with a sentence for people.

    `before` and `after` are JSON values, `ABSENT` where the one document has nothing.
    """

    kind: Kind
    place: Place
    before: Any
    after: Any
    sentence: str

    def to_json(self) -> Json:
        """The change for programs; an absent side is left out."""
        place = self.place
        document: Json = {"kind": self.kind, "graph": list(place.graph)}
        document |= {"node": place.node, "name": place.name}
        sides = {"before": self.before, "after": self.after}
        document |= {name: value for name, value in sides.items() if value is not ABSENT}
        return document | {"text": self.sentence}


def differences(a: Workflow, b: Workflow) -> list[Change]:
    """Every change that leads from one workflow to the other; none if they mean and look the same.

    A node under a new id is one change, and what links to it none. What moved in the view is one
    change for each graph, the last.
    """
    found = list(_graph(Place(), a.to_json(), b.to_json()))
    return sorted(found, key=lambda change: change.kind == "view_changed")


def _graph(at: Place, a: Json, b: Json) -> Iterator[Change]:
    names = renames(a, b)
    for old, new in names.items():
        place = at / "nodes" / old
        sentence = printable(f"{place} is called {new} now")
        yield Change("node_renamed", place, old, new, sentence)
    a = renamed(a, names)
    yield from _table(at / "nodes", a, b, _node)
    yield from _table(at / "inputs", a, b, _named)
    yield from _table(at / "outputs", a, b, _named)
    yield from _table(at / "subgraphs", a, b, _subgraph)
    apart = {"nodes", "inputs", "outputs", "subgraphs", "view"}
    for key in [key for key in a | b if key not in apart]:
        yield from _value("document_changed", at / key, a.get(key, ABSENT), b.get(key, ABSENT))
    yield from _view(at / "view", a, b)


Compare = Callable[[Place, Any, Any], Iterator[Change]]


def _table(at: Place, a: Json, b: Json, compare: Compare) -> Iterator[Change]:
    old, new = a.get(at.path[-1], {}), b.get(at.path[-1], {})
    for name in _apart(old, new):
        yield from compare(at / name, old.get(name, ABSENT), new.get(name, ABSENT))


def _node(at: Place, before: Any, after: Any) -> Iterator[Change]:
    if before is ABSENT or after is ABSENT:
        sign, kind, node = _one_sided("node", before, after)
        yield Change(kind, at, before, after, printable(f"{sign} {at} ({node['type']})"))
        return
    old, new = (f"{node['type']} {node.get('version', 1)}" for node in (before, after))
    if old != new:
        sentence = printable(f"{at}: {old} → {new}")
        yield Change("node_type_changed", at, old, new, sentence)
    for key in [key for key in before | after if key not in {"type", "version", "inputs"}]:
        what: Kind = "node_mode_changed" if key == "mode" else "node_key_changed"
        default = "normal" if key == "mode" else ABSENT
        yield from _value(what, at / key, before.get(key, default), after.get(key, default))
    yield from _table(at / "inputs", before, after, _input)


def _input(at: Place, before: Any, after: Any) -> Iterator[Change]:
    if before is ABSENT:
        yield Change("input_set", at, before, after, printable(f"{at}: default → {shown(after)}"))
    elif after is ABSENT:
        sentence = printable(f"{at}: {shown(before)} → default")
        yield Change("input_removed", at, before, after, sentence)
    else:
        linked = link_target(before) is not None or link_target(after) is not None
        yield from _value("input_linked" if linked else "input_changed", at, before, after)


def _named(at: Place, before: Any, after: Any) -> Iterator[Change]:
    role = at.path[-2].removesuffix("s")
    if before is ABSENT or after is ABSENT:
        sign, kind, end = _one_sided(f"named_{role}", before, after)
        yield Change(kind, at, before, after, printable(f"{sign} {at} ({_end(role, end)})"))
        return
    old, new = _end(role, before), _end(role, after)
    said = f"{old} → {new}" if old != new else change_shown(before, after)
    changed: Kind = "named_input_changed" if role == "input" else "named_output_changed"
    yield Change(changed, at, before, after, printable(f"{at}: {said}"))


def _end(role: str, end: Json) -> str:
    return f"{end['node']}.{end[role]}"


def _subgraph(at: Place, before: Any, after: Any) -> Iterator[Change]:
    if before is ABSENT or after is ABSENT:
        sign, kind, graph = _one_sided("subgraph", before, after)
        nodes = _count(len(graph.get("nodes", {})), "node", "nodes")
        yield Change(kind, at, before, after, printable(f"{sign} {at} ({nodes})"))
    else:
        yield from _graph(at, before, after)


def _value(kind: Kind, at: Place, before: Any, after: Any) -> Iterator[Change]:
    if not same(before, after):
        sentence = printable(f"{at}: {change_shown(before, after)}")
        yield Change(kind, at, before, after, sentence)


def _one_sided(what: str, before: Any, after: Any) -> tuple[str, Kind, Json]:
    """The sign, the kind, and the thing that only one side has."""
    side, sign, thing = ("added", "+", after) if before is ABSENT else ("removed", "-", before)
    return sign, cast("Kind", f"{what}_{side}"), thing


def _view(at: Place, a: Json, b: Json) -> Iterator[Change]:
    before, after = a.get("view", ABSENT), b.get("view", ABSENT)
    old, new = _keys(before), _keys(after)
    apart = a.get("nodes", {}).keys() ^ b.get("nodes", {}).keys()
    said = []
    for key in _apart(old, new):
        places, others = old.get(key, {}), new.get(key, {})
        if key == "nodes" and isinstance(places, dict) and isinstance(others, dict):
            moved = {name for name in _apart(places, others) if name not in apart}
            said += [_count(len(moved), "node moved", "nodes moved")] if moved else []
        else:
            said.append(f"{key} changed".lstrip())
    if said:
        yield Change("view_changed", at, before, after, printable(f"{at}: {', '.join(said)}"))


def _keys(view: Any) -> Json:
    if isinstance(view, dict):
        return view
    return {} if view is ABSENT else {"": view}


def _apart(old: Json, new: Json) -> list[str]:
    return [key for key in old | new if not same(old.get(key, ABSENT), new.get(key, ABSENT))]


def _count(number: int, one: str, many: str) -> str:
    return f"1 {one}" if number == 1 else f"{number} {many}"
