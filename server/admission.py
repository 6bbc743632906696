"""Whether a graph is taken in: its form, its size, and what can be checked without its nodes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.check import compile_graph
from engine.errors import GraphError, InputError, Problem
from engine.graphs import CONSTRUCTS
from engine.links import MAX_DEPTH, Range, Varied
from engine.node import NodeType
from engine.runtime import Runtime
from engine.workflow import Node, Workflow
from server.catalogue import Catalogue
from server.homes import within
from server.shapes import shaped

Json = dict[str, Any]
QUICK = 100
"""Nodes of a graph that is checked at once; a larger one is checked beside the other requests."""
_NOTHING = Runtime()


@dataclass(frozen=True)
class Admitted:
    """A graph that was checked, with the graphs it takes from other files among its own."""

    document: Json
    name: str
    wants: tuple[str, ...]
    """The files that its nodes name."""


@dataclass(frozen=True)
class Limits:
    """How large a graph may be."""

    nodes: int = 5_000
    calls: int = 100_000
    """Nodes after subgraphs, maps and sweeps are unfolded."""


def admit(workflow: Workflow, catalogue: Catalogue, limits: Limits) -> Admitted:
    """The graph made ready for the queue.

    What depends on this machine (files, memory, shapes) is checked by the worker before the run.

    Raises:
        GraphError: With every problem found.
    """
    whole = _checked(workflow, catalogue, limits)
    wants = dict.fromkeys(
        file
        for graph in _graphs(whole)
        for node in graph.nodes.values()
        for file in catalogue.files_named(node.type, node.inputs)
    )
    return Admitted(whole.to_json(), whole.name, tuple(wants))


def _checked(workflow: Workflow, catalogue: Catalogue, limits: Limits) -> Workflow:
    graph = shaped(workflow)
    if graph is None or not catalogue.shapes.passes(graph):
        check_size(workflow, limits)
        _check_files(workflow)
        types: Mapping[str, NodeType] = catalogue.types
        workflow = compile_graph(workflow, types, _NOTHING, limits.calls).workflow
        if graph is not None:
            catalogue.shapes.learn(graph)
    return replace(workflow, folder=None)


def check_size(workflow: Workflow, limits: Limits) -> None:
    """See that a graph is not too large, before anything is made of it.

    Raises:
        GraphError: It is.
    """
    count = count_nodes(workflow)
    if count > limits.nodes:
        _refuse("too_large", f"the workflow has {count} nodes; at most {limits.nodes} are taken")
    unfolded = _unfolded((workflow,), {})
    if unfolded > limits.calls:
        _refuse(
            "too_large",
            f"the workflow unfolds to {unfolded} nodes or more; at most {limits.calls} are taken",
        )


def is_quick(workflow: Workflow) -> bool:
    """Whether the check takes no time worth mentioning: few nodes, and nothing that unfolds."""
    return count_nodes(workflow) <= QUICK and not any(
        node.type in CONSTRUCTS or any(isinstance(v, (Varied, Range)) for v in node.inputs.values())
        for graph in _graphs(workflow)
        for node in graph.nodes.values()
    )


def count_nodes(workflow: Workflow) -> int:
    """How many nodes the document has, those of its subgraphs included."""
    return sum(len(graph.nodes) for graph in _graphs(workflow))


def _unfolded(scopes: tuple[Workflow, ...], known: dict[int, int], depth: int = 0) -> int:
    """How many nodes a graph becomes at least: each of its subgraphs once where it stands."""
    graph = scopes[-1]
    if id(graph) not in known:
        known[id(graph)] = len(graph.nodes)  # of one that contains itself
        inner = [_inner(node, scopes) for node in graph.nodes.values()]
        if depth <= MAX_DEPTH:
            known[id(graph)] += sum(_unfolded(each, known, depth + 1) for each in inner if each)
    return known[id(graph)]


def _inner(node: Node, scopes: tuple[Workflow, ...]) -> tuple[Workflow, ...] | None:
    """The graph that a node stands for, in the graphs around it; none if it is not among them."""
    name = node.extra.get("graph") if node.type in CONSTRUCTS and node.mode != "mute" else None
    for index in reversed(range(len(scopes))):
        if isinstance(name, str) and name in scopes[index].subgraphs:
            return (*scopes[: index + 1], scopes[index].subgraphs[name])
    return None


def _graphs(workflow: Workflow) -> Iterator[Workflow]:
    yield workflow
    for inner in workflow.subgraphs.values():
        yield from _graphs(inner)


def _check_files(workflow: Workflow) -> None:
    """See that the graphs taken from files lie in the document's own folder, and nowhere else."""
    if workflow.folder is None:
        return
    problems: list[Problem] = []
    waiting, seen = [(workflow, workflow.folder)], {Path()}
    while waiting:
        graph, folder = waiting.pop()
        waiting += ((inner, folder) for inner in graph.subgraphs.values())
        for node_id, node in graph.nodes.items():
            name = node.extra.get("graph")
            if not isinstance(name, str) or not name.endswith(".json"):
                continue
            try:
                path = within(folder, name)
            except InputError as error:
                problems.append(Problem(error.code, f'{node.type} "{node_id}": {error}', node_id))
                continue
            if path not in seen and path.is_file():
                seen.add(path)
                waiting.append((Workflow.read(path), path.parent))
    if problems:
        raise GraphError(problems)


def _refuse(code: str, message: str) -> None:
    raise GraphError([Problem(code, message)])
