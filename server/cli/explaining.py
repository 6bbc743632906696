"""What a run would do, and why: the plan, and the reasons behind it."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from engine.check import compile_graph
from engine.errors import GraphError, Problem
from engine.explain import when
from engine.plan import Plan, PlannedNode, make_plan
from engine.program import Program
from engine.workflow import Workflow
from server.session import Session

from .answer import Answer
from .console import say, say_table, seconds, size

Json = dict[str, Any]


def plan(workflow: Workflow, session: Session) -> Answer:
    """What a run would do.

    Raises:
        GraphError: The workflow has problems.
    """
    program, planned = _planned(workflow, session)

    def show() -> None:
        rows = [
            (name, program.calls[name].type.name, node.state, _seconds(node), node.why)
            for name, node in planned.nodes.items()
        ]
        say_table(("node", "type", "", "time", "why"), rows)
        say(f"\n{_total(planned)}")

    nodes = {name: _json(node) for name, node in planned.nodes.items()}
    return Answer({"nodes": nodes, "seconds": planned.seconds}, show)


def explain(
    workflow: Workflow, session: Session, name: str | None, changed: Workflow | None
) -> Answer:
    """Why each node, or one, is stored or will run; or what an edit would invalidate.

    Args:
        workflow: As it is.
        session: Where results are stored.
        name: A node, or the node that stands for a graph; none for all.
        changed: The workflow with an edit, if that is asked.

    Raises:
        GraphError: A workflow has problems, or there is no such node.
    """
    program, planned = _planned(workflow, session)
    if changed is not None:
        return _edit(program, planned, *_planned(changed, session))
    chosen = _chosen(program, planned, name)

    def show() -> None:
        for node_id, node in chosen.items():
            _say_node(program, node_id, node)
        if name is None:
            say(f"\n{_total(planned)}")

    return Answer({"nodes": {node_id: _json(node) for node_id, node in chosen.items()}}, show)


def _planned(workflow: Workflow, session: Session) -> tuple[Program, Plan]:
    program = compile_graph(workflow, session.catalog, session.runtime)
    return program, make_plan(program, session.store, session.runtime, session.journal)


def _chosen(program: Program, planned: Plan, name: str | None) -> Mapping[str, PlannedNode]:
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


def _edit(program: Program, before: Plan, edited: Program, after: Plan) -> Answer:
    """What an edit would invalidate."""
    again = _changed(program, before, edited, after)
    gone = [name for name in before.nodes if name not in edited.calls]
    running = [name for name in again if after.nodes[name].state == "run"]

    def show() -> None:
        rows = [
            (
                name,
                edited.calls[name].type.name,
                after.nodes[name].state,
                _seconds(after.nodes[name]),
            )
            for name in again
        ]
        if rows:
            say_table(("node", "type", "", "time"), rows)
        say(f"\nthe edit changes {len(again)} of {len(after.nodes)} results")
        if gone:
            say(f"{len(gone)} nodes would be gone: {', '.join(gone[:10])}")
        say(_total(after))

    return Answer(
        {
            "changed": again, "run": running, "gone": gone, "seconds": after.seconds,
            "nodes": {name: _json(after.nodes[name]) for name in again},
        },
        show,
    )  # fmt: skip


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


def _say_node(program: Program, node_id: str, node: PlannedNode) -> None:
    say(f"{node_id} ({program.calls[node_id].type.name}): {node.state}")
    if node.reason is None:
        say(f"    {node.why}")
    elif node.reason.nearest is None:
        say(f"    {node.reason.text}")
    else:
        for change in node.reason.changes:
            say(f"    {change.text}")
        nearest = node.reason.nearest
        gone = "" if node.reason.changes else "; that result is not stored any more"
        say(f"    last made on {when(nearest.created)} by run {nearest.run}{gone}")
    if node.seconds is not None:
        word = "took" if node.state == "stored" else "expected"
        parts = [seconds(node.seconds), size(node.bytes or 0)]
        if node.peak is not None:
            parts.append(f"{size(node.peak)} of memory at the most")
        say(f"    {word}: {', '.join(parts)}")


def _total(planned: Plan) -> str:
    text = f"{len(planned.running)} of {len(planned.nodes)} nodes would run"
    unknown = sum(planned.nodes[name].seconds is None for name in planned.running)
    if not planned.running or unknown == len(planned.running):
        return text
    beside = f", beside {unknown} of which nothing is known" if unknown else ""
    return f"{text}, in about {seconds(planned.seconds)}{beside}"


def _seconds(node: PlannedNode) -> str:
    return "" if node.seconds is None else seconds(node.seconds)


def _json(node: PlannedNode) -> Json:
    document: Json = {
        "state": node.state, "why": node.why, "seconds": node.seconds, "bytes": node.bytes,
        "peak": node.peak, "created": node.created, "run": node.run,
    }  # fmt: skip
    if node.reason is not None and node.reason.nearest is not None:
        nearest = node.reason.nearest
        document["nearest"] = {"run": nearest.run, "created": nearest.created}
        document["changes"] = [asdict(change) for change in node.reason.changes]
    return document
