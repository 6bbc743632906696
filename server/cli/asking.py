"""Questions about workflows, nodes, models and the store; nothing is computed."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from engine.catalog import Catalog
from engine.check import judge
from engine.errors import GraphError, InputError, Problem
from engine.graphs import CONSTRUCTS
from engine.node import Input, type_name
from engine.workflow import Workflow
from server.failures import problem_json, problems_of
from server.session import Session
from server.stored import store_json

from .answer import Answer
from .console import say, say_problems, say_table, size
from .failures import FAILED


def check(opened: Callable[[], tuple[Workflow, Session]]) -> Answer:
    """Every problem of a workflow, those of its file included."""
    try:
        workflow, session = opened()
        verdict = judge(workflow, session.catalog, session.runtime)
    except (GraphError, InputError, OSError) as error:
        return problems_answer(problems_of(error))
    return problems_answer(verdict.problems, verdict.warnings)


def problems_answer(problems: Sequence[Problem], warnings: Sequence[Problem] = ()) -> Answer:
    """Every problem, or that there is none; and what is wrong with nodes that nothing needs."""

    def show() -> None:
        if warnings:
            say_problems(warnings, "warning")
        if problems:
            say_problems(problems, "problem")
        elif warnings:
            say("no problems: no output depends on the nodes with warnings, which are left out")
        else:
            say("no problems")

    found = [problem_json(problem) for problem in problems]
    beside = [problem_json(problem) for problem in warnings]
    return Answer({"problems": found, "warnings": beside}, show, FAILED if problems else 0)


def list_nodes(catalog: Catalog) -> Answer:
    """The node types by category."""
    types = sorted(catalog.types.values(), key=lambda declared: (declared.category, declared.name))

    def show() -> None:
        rows = [(declared.category, declared.name, declared.summary) for declared in types]
        say_table(("category", "node", ""), rows)
        say(f"\ngraphs as nodes: {', '.join(sorted(CONSTRUCTS))} (docs/workflows.md)")

    return Answer({"nodes": {declared.name: declared.schema() for declared in types}}, show)


def describe_node(catalog: Catalog, name: str) -> Answer:
    """One node type: what it takes and gives.

    Raises:
        GraphError: There is no such type; the hint is the nearest.
    """
    if name not in catalog:
        raise GraphError([_unknown_type(catalog, name)])
    declared = catalog[name]
    schema = declared.schema()

    def show() -> None:
        say(f"{declared.name} (version {declared.version}, {declared.category})")
        say(f"{declared.summary}")
        if declared.inputs:
            say("\ninputs")
        for item in declared.inputs.values():
            _say_input(item, schema["inputs"])
        say("\noutputs")
        for output, hint in declared.outputs.items():
            say(f"  {output}: {type_name(hint)}")

    return Answer({"nodes": {declared.name: schema}}, show)


def list_models(session: Session) -> Answer:
    """The model files that the node package finds."""
    return models_answer(session.survey(), f"put some into {session.settings.data / 'models'}")


def models_answer(found: Sequence[dict[str, Any]], remedy: str) -> Answer:
    """The model files, or what to do where there are none."""

    def show() -> None:
        if not found:
            say(f"no models; {remedy}")
            return
        headings = [n for n in found[0] if any(row[n] is not None for row in found)]
        say_table(headings, [[_cell(name, row[name]) for name in headings] for row in found])

    return Answer({"models": list(found)}, show)


def stored(session: Session, to: str | None, *, shared: bool = False) -> Answer:
    """How much is stored, after pruning `to` a size; an empty one lets go of everything.

    Raises:
        InputError: `to` is no size, or there is no shared store to be pruned.
        StoreError: The shared store cannot be pruned.
    """
    from server.settings import read_bytes

    freed = None
    if to is not None:
        tier = session.shared if shared else session.store
        freed = tier.prune(read_bytes(to)) if to else tier.clear()
    answer = store_json(session.store, session.settings.store)
    if freed is not None:
        answer["freed"] = freed

    def show() -> None:
        if freed is not None:
            say(f"freed {size(freed)}")
        say(
            f"{answer['records']} results in {size(answer['bytes'])} of {size(answer['budget'])}:"
            f" {answer['folder']}"
        )
        if (found := answer.get("shared")) is not None:
            say(
                f"{found['records']} results in {size(found['bytes'])}, shared: {found['place']}"
                if found["reachable"]
                else found["fault"]
            )

    return Answer(answer, show)


def _unknown_type(catalog: Catalog, name: str) -> Problem:
    if name in CONSTRUCTS:
        return Problem(
            "unknown_node",
            f'a {name} takes and gives what the graph does that it names by "graph"',
            hint="docs/workflows.md, Graphs as nodes",
        )
    near = catalog.nearest(name)
    return Problem(
        "unknown_node",
        f"there is no node type {name!r}; `darkroom nodes` lists all",
        hint=f"did you mean {near}?" if near else None,
    )


def _say_input(item: Input, schema: dict[str, Any]) -> None:
    shape = schema["properties"][item.name]
    parts = [type_name(item.hint), _range(shape)]
    if not item.required:
        parts.append(f"default {json.dumps(shape.get('default'), ensure_ascii=False)}")
    say(f"  {item.name}: {', '.join(part for part in parts if part)}")
    text = item.field.description or shape.get("description")
    if text:
        say(f"      {text}")
    for name in shape.get("discriminator", {}).get("mapping", {}).values():
        variant = schema["$defs"][name.rpartition("/")[2]]
        values = {
            n: field.get("const", field.get("default"))
            for n, field in variant["properties"].items()
        }
        say(f"      {json.dumps(values)}")


def _range(schema: dict[str, Any]) -> str:
    words = {
        "minimum": "from",
        "exclusiveMinimum": "above",
        "maximum": "to",
        "exclusiveMaximum": "below",
    }
    return " ".join(f"{word} {schema[key]}" for key, word in words.items() if key in schema)


def _cell(name: str, value: object) -> str:
    if name == "bytes" and isinstance(value, int):
        return size(value)
    return "" if value is None else str(value)
