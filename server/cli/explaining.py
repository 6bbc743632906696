"""What a run would do, and why: the plan, and the reasons behind it."""

from engine.check import compile_graph
from engine.explain import when
from engine.plan import Plan, make_plan
from engine.program import Program
from engine.workflow import Workflow
from server.failures import read_problem
from server.plans import edit_json, explained_json, plan_json
from server.session import Session

from .answer import Answer, Json
from .console import say, say_problems, say_table, seconds, size


def plan(workflow: Workflow, session: Session) -> Answer:
    """What a run would do.

    Raises:
        GraphError: The workflow has problems.
    """
    return plan_answer(plan_json(*_planned(workflow, session)))


def plan_answer(told: Json) -> Answer:
    """A plan as `plan_json` tells it."""

    def show() -> None:
        rows = [
            (name, node["type"], node["state"], _seconds(node), node["why"])
            for name, node in told["nodes"].items()
        ]
        say_table(("node", "type", "", "time", "why"), rows)
        say(f"\n{_total(told['total'])}")
        if told["warnings"]:
            say_problems([read_problem(each) for each in told["warnings"]], "warning")

    return Answer(told, show)


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
        return edit_answer(edit_json(program, planned, *_planned(changed, session)))
    return explained_answer(explained_json(program, planned, name), whole=name is None)


def explained_answer(told: Json, *, whole: bool) -> Answer:
    """The reasons as `explained_json` tells them; `whole` if they are those of all nodes."""

    def show() -> None:
        for name, node in told["nodes"].items():
            _say_node(name, node)
        if whole:
            say(f"\n{_total(told['total'])}")

    return Answer(told, show)


def _planned(workflow: Workflow, session: Session) -> tuple[Program, Plan]:
    program = compile_graph(workflow, session.catalog, session.runtime)
    return program, make_plan(program, session.store, session.runtime, session.journal)


def edit_answer(told: Json) -> Answer:
    """What an edit would invalidate, as `edit_json` tells it."""
    gone = told["gone"]

    def show() -> None:
        rows = [
            (n, node["type"], node["state"], _seconds(node)) for n, node in told["nodes"].items()
        ]
        if rows:
            say_table(("node", "type", "", "time"), rows)
        say(f"\nthe edit changes {len(told['changed'])} of {told['total']['nodes']} results")
        if gone:
            say(f"{len(gone)} nodes would be gone: {', '.join(gone[:10])}")
        say(_total(told["total"]))

    return Answer(told, show)


def _say_node(name: str, node: Json) -> None:
    say(f"{name} ({node['type']}): {node['state']}")
    nearest = node.get("nearest")
    if nearest is None:
        say(f"    {node['why']}")
    else:
        for change in node["changes"]:
            say(f"    {change['text']}")
        gone = "" if node["changes"] else "; that result is not stored any more"
        say(f"    last made on {when(nearest['created'])} by run {nearest['run']}{gone}")
    if node["seconds"] is not None:
        word = "took" if node["state"] == "stored" else "expected"
        parts = [seconds(node["seconds"]), size(node["bytes"] or 0)]
        if node["peak"] is not None:
            parts.append(f"{size(node['peak'])} of memory at the most")
        say(f"    {word}: {', '.join(parts)}")


def _total(total: Json) -> str:
    text = f"{total['run']} of {total['nodes']} nodes would run"
    if not total["run"] or total["unknown"] == total["run"]:
        return text
    unknown = total["unknown"]
    beside = f", beside {unknown} of which nothing is known" if unknown else ""
    return f"{text}, in about {seconds(total['seconds'])}{beside}"


def _seconds(node: Json) -> str:
    return "" if node["seconds"] is None else seconds(node["seconds"])
