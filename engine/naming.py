"""The names of nodes and subgraphs in a document: who uses them, and how to change them."""

from collections.abc import Iterator, Mapping
from typing import Any

from .canonical import canonical
from .node import Json
from .places import Place


def link_target(value: Any) -> str | None:
    """The node that a JSON value links to; none if the value is no link."""
    match value:
        case {"$link": [str(node), _], **rest} if not rest:
            return node
    return None


def uses(graph: Json) -> Iterator[tuple[Place, set[str]]]:
    """Every place in a graph that may name nodes, with the nodes that it names."""
    for node_id, node in graph.get("nodes", {}).items():
        at = Place(("nodes", node_id))
        for name, value in node.get("inputs", {}).items():
            yield at / "inputs" / name, set(_targets(value))
        for key, value in node.items():
            if key != "inputs":
                yield at / key, set(_targets(value))
    for table in ("inputs", "outputs"):
        for name, end in graph.get(table, {}).items():
            yield Place((table, name)), {end["node"], *(each["node"] for each in _also(end))}


def graphs_named(graph: Json) -> set[str]:
    """The subgraphs that a graph must find by name in itself or around it."""
    named = {node.get("graph") for node in graph.get("nodes", {}).values()}
    for inner in graph.get("subgraphs", {}).values():
        named |= graphs_named(inner) - inner.get("subgraphs", {}).keys()
    return {name for name in named if isinstance(name, str)}


def renames(a: Json, b: Json) -> dict[str, str]:
    """The nodes of a graph that another has under other ids: same type, version and inputs.

    A node whose links lead to renamed nodes is found once those are.
    """
    old, new = a.get("nodes", {}), b.get("nodes", {})
    added: dict[str, list[str]] = {}
    for node_id in new:
        if node_id not in old:
            added.setdefault(_kind(new[node_id], {}), []).append(node_id)
    names: dict[str, str] = {}
    waiting = [node_id for node_id in old if node_id not in new]
    followers: dict[str, list[str]] = {}
    for node_id in waiting:
        for target in _targets(old[node_id].get("inputs", {})):
            followers.setdefault(target, []).append(node_id)
    while waiting:
        tried, waiting = waiting, []
        for node_id in tried:
            candidates = added.get(_kind(old[node_id], names)) if node_id not in names else None
            if candidates:
                names[node_id] = candidates.pop(0)
                waiting += followers.get(node_id, [])
    return names


def renamed(graph: Json, names: Mapping[str, str]) -> Json:
    """The graph with some of its nodes under other ids; links, named ends and the view follow."""
    if not names:
        return graph
    changed = dict(graph)
    changed["nodes"] = {
        names.get(node_id, node_id): _followed(node, names)
        for node_id, node in graph.get("nodes", {}).items()
    }
    for table in {"inputs", "outputs"} & graph.keys():
        changed[table] = {name: _end(end, names) for name, end in graph[table].items()}
    view = graph.get("view")
    if isinstance(view, dict) and isinstance(view.get("nodes"), dict):
        placed = {names.get(node_id, node_id): entry for node_id, entry in view["nodes"].items()}
        changed["view"] = view | {"nodes": placed}
    return changed


def graph_renamed(graph: Json, old: str, new: str) -> Json:
    """The graph with one of its subgraphs under another name; the nodes that stand for it follow."""
    inner = {new if name == old else name: each for name, each in graph["subgraphs"].items()}
    return _renaming_uses(graph | {"subgraphs": inner}, old, new)


def fresh(name: str, *taken: Mapping[str, object]) -> str:
    """A name that nobody has, like the given one."""
    number = 2
    while any(f"{name}-{number}" in names for names in taken):
        number += 1
    return f"{name}-{number}"


def _renaming_uses(graph: Json, old: str, new: str) -> Json:
    changed = dict(graph)
    changed["nodes"] = {
        node_id: node | {"graph": new} if node.get("graph") == old else node
        for node_id, node in graph.get("nodes", {}).items()
    }
    if "subgraphs" in graph:
        changed["subgraphs"] = {
            name: each if old in each.get("subgraphs", {}) else _renaming_uses(each, old, new)
            for name, each in graph["subgraphs"].items()
        }
    return changed


def _kind(node: Json, names: Mapping[str, str]) -> str:
    return canonical(
        [node["type"], node.get("version", 1), _followed(node.get("inputs", {}), names)]
    )


def _targets(value: Any) -> Iterator[str]:
    target = link_target(value)
    if target is not None:
        yield target
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _targets(item)


def _followed(value: Any, names: Mapping[str, str]) -> Any:
    target = link_target(value)
    if target is not None:
        return {"$link": [names.get(target, target), value["$link"][1]]}
    if isinstance(value, dict):
        return {name: _followed(item, names) for name, item in value.items()}
    if isinstance(value, list):
        return [_followed(item, names) for item in value]
    return value


def _names_node(end: Any) -> bool:
    return isinstance(end, dict) and isinstance(end.get("node"), str)


def _also(end: Json) -> list[Json]:
    """The further nodes that a named input leads to."""
    also = end.get("also")
    return [each for each in also if _names_node(each)] if isinstance(also, list) else []


def _end(end: Json, names: Mapping[str, str]) -> Json:
    changed = end | {"node": names.get(end["node"], end["node"])}
    if isinstance(end.get("also"), list):
        changed["also"] = [_end(e, names) if _names_node(e) else e for e in end["also"]]
    return changed
