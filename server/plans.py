"""Plans as JSON: what a run would do, why, and what an edit would invalidate."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from engine.errors import GraphError, Problem
from engine.plan import Plan, PlannedNode
from engine.program import Program
from server.failures import problem_json

Json = dict[str, Any]


def plan_json(program: Program, planned: Plan) -> Json:
    """Every node of a plan, and the seconds that the run will take as far as they are known."""
    return {
        "nodes": nodes_json(program, planned.nodes),
        "seconds": planned.seconds,
        "total": total_json(planned),
        "warnings": [problem_json(each) for each in program.warnings],
    }


def explained_json(program: Program, planned: Plan, name: str | None) -> Json:
    """The nodes of one name, or all of them.

    Raises:
        GraphError: There is no such node.
    """
    chosen = chosen_nodes(program, planned, name)
    return {"nodes": nodes_json(program, chosen), "total": total_json(planned)}


def nodes_json(program: Program, nodes: Mapping[str, PlannedNode]) -> Json:
    """Planned nodes by name, with the reasons."""
    return {name: _json(program, name, node) for name, node in nodes.items()}


def total_json(planned: Plan) -> Json:
    """How many nodes there are, would run, and run for nobody knows how long."""
    running = planned.running
    unknown = sum(planned.nodes[name].seconds is None for name in running)
    return {
        "nodes": len(planned.nodes),
        "run": len(running),
        "unknown": unknown,
        "seconds": planned.seconds,
    }


def edit_json(program: Program, before: Plan, edited: Program, after: Plan) -> Json:
    """What an edit would invalidate."""
    again = _changed(program, before, edited, after)
    return {
        "changed": again,
        "run": [name for name in again if after.nodes[name].state == "run"],
        "gone": [name for name in before.nodes if name not in edited.calls],
        "seconds": after.seconds,
        "nodes": nodes_json(edited, {name: after.nodes[name] for name in again}),
        "total": total_json(after),
    }


def chosen_nodes(program: Program, planned: Plan, name: str | None) -> Mapping[str, PlannedNode]:
    """The planned nodes of one name, a graph's inside included; all of them without a name.

    Raises:
        GraphError: There is no such node.
    """
    if name is None:
        return planned.nodes
    found = {
        node_id: node
        for node_id, node in planned.nodes.items()
        if name in {node_id, program.places.get(node_id, node_id)} or node_id.startswith(f"{name}/")
    }
    if found:
        return found
    known = sorted({program.places.get(node_id, node_id) for node_id in program.calls})
    text = f"there is no node {name!r} that this workflow would ask for; it has {', '.join(known)}"
    raise GraphError([Problem("unknown_node", text)])


def _changed(program: Program, before: Plan, edited: Program, after: Plan) -> list[str]:
    """The nodes whose results an edit changes; where a key is known in a run only, those that may."""
    changed: dict[str, None] = {}
    for name, call in edited.calls.items():
        old = program.calls.get(name)
        if name in after.keys or name in before.keys:
            differs = before.keys.get(name) != after.keys.get(name)
        else:
            sources = [link.node for link in (*call.eager, *call.lazy)]
            differs = old is None or old.texts != call.texts or any(s in changed for s in sources)
        if differs:
            changed[name] = None
    return [name for name in changed if name in after.nodes]


def _json(program: Program, name: str, node: PlannedNode) -> Json:
    document: Json = {
        "type": program.calls[name].type.name,
        "state": node.state, "why": node.why, "seconds": node.seconds, "bytes": node.bytes,
        "peak": node.peak, "created": node.created, "run": node.run,
    }  # fmt: skip
    if node.reason is not None and node.reason.nearest is not None:
        nearest = node.reason.nearest
        document["nearest"] = {"run": nearest.run, "created": nearest.created}
        document["changes"] = [asdict(each) | {"text": each.text} for each in node.reason.changes]
    return document
