"""What a run would do, and why: the plan, and the reasons behind it."""

from engine.check import compile_graph
from engine.explain import when
from engine.plan import Plan, PlannedNode, make_plan
from engine.program import Program
from engine.workflow import Workflow
from server.plans import chosen_nodes, edit_json, nodes_json, plan_json
from server.session import Session

from .answer import Answer
from .console import say, say_table, seconds, size


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

    return Answer(plan_json(planned), show)


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
    chosen = chosen_nodes(program, planned, name)

    def show() -> None:
        for node_id, node in chosen.items():
            _say_node(program, node_id, node)
        if name is None:
            say(f"\n{_total(planned)}")

    return Answer({"nodes": nodes_json(chosen)}, show)


def _planned(workflow: Workflow, session: Session) -> tuple[Program, Plan]:
    program = compile_graph(workflow, session.catalog, session.runtime)
    return program, make_plan(program, session.store, session.runtime, session.journal)


def _edit(program: Program, before: Plan, edited: Program, after: Plan) -> Answer:
    """What an edit would invalidate."""
    answer = edit_json(program, before, edited, after)
    again, gone = answer["changed"], answer["gone"]

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

    return Answer(answer, show)


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
