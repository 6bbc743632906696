"""Three-way merge of workflows: by node, input, named end, subgraph and place in the view."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, NamedTuple

from .canonical import canonical
from .errors import Problem
from .naming import fresh, graph_renamed, graphs_named, renamed, renames, uses
from .node import Json
from .places import ABSENT, Place, same
from .wording import change_shown, printable, shown
from .workflow import Workflow


class Sides(NamedTuple):
    """What the three documents have at one place; `ABSENT` where one has nothing."""

    base: Any
    ours: Any
    theirs: Any

    def at(self, name: str, default: Any = ABSENT) -> "Sides":
        """What stands under a name, in each."""
        return self.each(lambda side: side.get(name, default))

    def each(self, change: Callable[[Any], Any]) -> "Sides":
        """The same done to each."""
        return Sides(*map(change, self))

    def are(self, kind: type) -> bool:
        """Whether all are of a kind; there may have been nothing before."""
        sides = self[1:] if self.base is ABSENT else self
        return all(isinstance(side, kind) for side in sides)


@dataclass(frozen=True)
class Conflict:
    """A part of a workflow that both sides changed, each in its way; `why` says it in words."""

    place: Place
    sides: Sides
    why: str

    def to_json(self) -> Json:
        """The entry in the document; a side that has nothing there is left out."""
        present = {n: v for n, v in self.sides._asdict().items() if v is not ABSENT}
        return {"at": list(self.place.path), "why": self.why} | present


@dataclass(frozen=True)
class Merged:
    """A merged workflow. It holds ours where the sides conflict, and lists the conflicts.

    `renamed` are the nodes and subgraphs of theirs that had to take another name, by place.
    """

    document: Workflow
    conflicts: tuple[Conflict, ...]
    renamed: Mapping[Place, str]


def merge(base: Workflow, ours: Workflow, theirs: Workflow) -> Merged:
    """What two workflows that came from the same one become together."""
    merger = _Merger()
    sides = Sides(base.to_json(), ours.to_json(), theirs.to_json())
    document = merger.item(Place(), sides, merger.graph)
    if merger.conflicts:
        before = document.get("conflicts", [])
        found = [conflict.to_json() for conflict in merger.conflicts]
        document = {key: value for key, value in document.items() if key != "conflicts"}
        document["conflicts"] = [*(before if isinstance(before, list) else [before]), *found]
    return Merged(Workflow.from_json(document), tuple(merger.conflicts), merger.renamed)


def conflict_problems(workflow: Workflow) -> list[Problem]:
    """A problem for each conflict that a merge left in a workflow."""
    listed = workflow.extra.get("conflicts", [])
    return [_problem(entry) for entry in (listed if isinstance(listed, list) else [listed])]


def _problem(entry: Any) -> Problem:
    path = entry.get("at") if isinstance(entry, dict) else None
    if not isinstance(path, list) or not path or not all(isinstance(name, str) for name in path):
        message = f'"conflicts" holds {shown(entry)}, which names no place in the document'
        return Problem("merge_conflict", message, hint='delete the entry from "conflicts"')
    place = Place(tuple(path))
    sides = Sides(*(entry.get(side, ABSENT) for side in Sides._fields))
    base, ours, theirs = sides.each(shown)
    why = entry.get("why", "both sides changed it")
    said = f"ours is {ours}, theirs is {theirs}, before it was {base}"
    if "…" in said:
        said += f"; from ours to theirs: {change_shown(sides.ours, sides.theirs)}"
    return Problem(
        "merge_conflict",
        printable(f"{place} is open since a merge: {why}; {said}"),
        place.node and "/".join((*place.graph, place.node)),
        place.name,
        f'give {place} the value it shall have, then delete the entry from "conflicts"',
    )


Both = Callable[[Place, Sides], Any]


class _Merger:
    """Walks three documents side by side, and collects what does not go together."""

    def __init__(self) -> None:
        self.conflicts: list[Conflict] = []
        self.renamed: dict[Place, str] = {}

    def conflict(self, at: Place, sides: Sides, why: str = "both sides changed it") -> Any:
        """Note a conflict; ours stays."""
        self.conflicts.append(Conflict(at, sides, why))
        return sides.ours

    def one_sided(self, at: Place, sides: Sides) -> Any:
        """Note that one side removed what the other one changed."""
        ours, theirs = ("ours", "theirs") if sides.ours is ABSENT else ("theirs", "ours")
        return self.conflict(at, sides, f"{ours} removed it, {theirs} changed it")

    def item(self, at: Place, sides: Sides, both: Both) -> Any:
        """The side that changed; what `both` says if both did, differently."""
        if same(sides.ours, sides.theirs) or same(sides.base, sides.theirs):
            return sides.ours
        return sides.theirs if same(sides.base, sides.ours) else both(at, sides)

    def table(self, at: Place, sides: Sides, both: Both) -> Json:
        """Three objects merged name by name."""
        sides = sides.each(lambda side: {} if side is ABSENT else side)
        merged: Json = {}
        for name in _order(sides):
            value = self.item(at / name, sides.at(name), both)
            if value is not ABSENT:
                merged[name] = value
        return merged

    # The parts of a document

    def graph(self, at: Place, sides: Sides) -> Any:
        """A document or a subgraph that both sides changed."""
        if not sides.are(dict):
            return self.one_sided(at, sides)
        sides = self._apart(at, _aligned(sides))
        keys, views, sides = _order(sides), sides.at("view"), sides.each(_without_view)
        merged = deepcopy(self.table(at, sides, self.part))  # what follows changes it in place
        kept = self._keep_linked(at, sides, merged)
        self._keep_graphs(at, sides, merged)
        view = self.item(at / "view", views, _View(self, merged["nodes"]).merge)
        if view is not ABSENT:
            merged["view"] = _with_places(view, views.ours, kept)
        return {key: merged[key] for key in keys if key in merged}

    def part(self, at: Place, sides: Sides) -> Any:
        """What stands under one key of a graph."""
        match at.inside:
            case ("nodes",):
                return self.table(at, sides, self.node)
            case ("inputs" | "outputs",):
                return self.table(at, sides, self.conflict)
            case ("subgraphs",):
                return self.table(at, sides, self.graph)
        if at.path == ("conflicts",) and sides.are(list):
            return _union(sides)
        return self.conflict(at, sides)

    def node(self, at: Place, sides: Sides) -> Any:
        """A node that both sides changed. Its type and version belong together."""
        if not sides.are(dict):
            return self.one_sided(at, sides)
        merged = self.table(at, sides.each(_typed), self._node_part)
        return merged.pop("type") | merged

    def _node_part(self, at: Place, sides: Sides) -> Any:
        if at.inside[2:] == ("inputs",):
            return self.table(at, sides, self.conflict)
        return self.conflict(at, sides)

    # What names something else

    def _apart(self, at: Place, sides: Sides) -> Sides:
        """The sides with new names in theirs for what both added under one name."""
        while names := _clashes(sides.at("subgraphs", {})):
            old, new = next(iter(names.items()))
            self.renamed[at / "subgraphs" / old] = new
            sides = sides._replace(theirs=graph_renamed(sides.theirs, old, new))
        while names := _clashes(sides.at("nodes", {})):
            self.renamed |= {at / "nodes" / old: new for old, new in names.items()}
            sides = sides._replace(theirs=renamed(sides.theirs, names))
        return sides

    def _keep_linked(self, at: Place, graphs: Sides, merged: Json) -> set[str]:
        """Settle the links to nodes that the other side removed; the nodes that stay for them.

        A new link of ours keeps its node, a new link of theirs gives way: ours stays.
        """
        kept: set[str] = set()
        nodes = graphs.at("nodes")
        settled = False
        while not settled:
            settled = True
            for place, targets in list(uses(merged)):
                gone = {node for node in targets if node not in merged["nodes"]}
                if not gone:
                    continue
                sides = graphs.each(place.of)
                if same(sides.ours, sides.theirs):
                    continue  # both sides leave it so
                if same(place.of(merged), sides.ours):
                    why = f"theirs removed it, ours needs it for {place}"
                    for node in sorted(gone & nodes.ours.keys()):
                        where = at / "nodes" / node
                        merged["nodes"][node] = self.conflict(where, nodes.at(node), why)
                        kept.add(node)
                        settled = False
                elif lost := sorted(gone & nodes.theirs.keys()):
                    why = f"theirs links it to {' and '.join(lost)}, which ours removed"
                    _put(merged, place, self.conflict(Place(at.path + place.path), sides, why))
                    settled = False
        return kept

    def _keep_graphs(self, at: Place, graphs: Sides, merged: Json) -> None:
        """Settle the names of subgraphs that the other side removed."""
        tables = graphs.at("subgraphs", {})
        for name in sorted(graphs_named(merged) - merged.get("subgraphs", {}).keys()):
            sides, place = tables.at(name), at / "subgraphs" / name
            if sides.ours is not ABSENT and name not in graphs_named(graphs.theirs):
                why = "theirs removed it, a node of ours stands for it"
                found = {name: self.conflict(place, sides, why)}
                merged["subgraphs"] = merged.get("subgraphs", {}) | found
            elif same(sides.base, sides.theirs) and name not in graphs_named(graphs.ours):
                self.conflict(place, sides, "ours removed it, a node of theirs stands for it")


@dataclass(frozen=True)
class _View:
    """Merges what two sides made of the view, once it is known which nodes there are."""

    merger: _Merger
    nodes: Json

    def merge(self, at: Place, sides: Sides) -> Any:
        if not sides.are(dict):
            return self.merger.conflict(at, sides)
        return self.merger.table(at, sides, self._part)

    def _part(self, at: Place, sides: Sides) -> Any:
        if sides.are(list):
            return _union(sides)
        if sides.are(dict):
            entry = self._place if at.path[-1] == "nodes" else self.merger.conflict
            return self.merger.table(at, sides, entry)
        return self.merger.conflict(at, sides)

    def _place(self, at: Place, sides: Sides) -> Any:
        """Where a node is: where we put it, for nothing depends on it; a removed one is nowhere."""
        if at.path[-1] not in self.nodes:
            return ABSENT
        return sides.theirs if sides.ours is ABSENT else sides.ours


def _aligned(graphs: Sides) -> Sides:
    """The three with nodes that one side renamed under their new ids; ours decides."""
    mine = renames(graphs.base, graphs.ours)
    others = renames(graphs.base, graphs.theirs)
    _, taken_by_ours, taken = graphs.at("nodes", {})
    mine = {old: new for old, new in mine.items() if new not in taken or others.get(old) == new}
    rest = {old: new for old, new in others.items() if old not in mine and new not in taken_by_ours}
    return Sides(
        renamed(graphs.base, rest | mine),
        renamed(graphs.ours, rest),
        renamed(graphs.theirs, {others.get(old, old): new for old, new in mine.items()}),
    )


def _clashes(tables: Sides) -> dict[str, str]:
    """New names for what both sides added under one name, differently."""
    names: dict[str, str] = {}
    for name in tables.theirs:
        base, ours, theirs = tables.at(name)
        if base is ABSENT and ours is not ABSENT and not same(ours, theirs):
            names[name] = fresh(name, *tables, dict.fromkeys(names.values()))
    return names


def _order(tables: Sides) -> list[str]:
    """The names in the order of ours; what only theirs has, after the neighbour it followed."""
    behind: dict[str | None, list[str]] = {}
    neighbour = None
    for name in tables.theirs:
        if name in tables.ours:
            neighbour = name
        else:
            behind.setdefault(neighbour, []).append(name)
    names = behind.get(None, [])
    for name in tables.ours:
        names += [name, *behind.get(name, [])]
    return names


def _union(lists: Sides) -> list[Any]:
    """The items of both lists, less those that one side removed."""
    tables = lists._replace(base=[] if lists.base is ABSENT else lists.base)
    base, ours, theirs = ({canonical(item): item for item in each} for each in tables)
    stay = [item for key, item in ours.items() if key in theirs or key not in base]
    come = [item for key, item in theirs.items() if key not in ours and key not in base]
    return stay + come


def _typed(node: Json) -> Json:
    """The node with its type and version as one part."""
    rest = dict(node)
    kind = {key: rest.pop(key) for key in ("type", "version") if key in node}
    return {"type": kind} | rest


def _without_view(graph: Any) -> Json:
    nodes: Json = {"nodes": {}}
    return nodes | {key: value for key, value in graph.items() if key != "view"}


def _with_places(view: Any, ours: Any, kept: set[str]) -> Any:
    """The view with the places that nodes have in ours which theirs removed, and ours keeps."""
    places = {node: Place(("nodes", node)).of(ours) for node in kept}
    places = {node: place for node, place in places.items() if place is not ABSENT}
    if not places or not isinstance(Place(("nodes",)).of(view), dict):
        return view
    return view | {"nodes": view["nodes"] | places}


def _put(document: Json, place: Place, value: Any) -> None:
    """Set what stands at a place, or take it away."""
    table = Place(place.path[:-1]).of(document)
    if value is ABSENT:
        del table[place.path[-1]]
    else:
        table[place.path[-1]] = value
