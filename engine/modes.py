"""Muted and bypassed nodes: the graph as it is without them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from .errors import Problem
from .node import NodeType
from .types import accepts
from .workflow import Link, Node, Workflow, links_in, replace_links


def active(
    workflow: Workflow, catalog: Mapping[str, NodeType]
) -> tuple[dict[str, Node], dict[str, Link], list[Problem]]:
    """The nodes that count, the sources of the named outputs, and what is wrong.

    A muted node is as if it were not there: an input that links to it falls back to its default.
    A bypassed node passes on, for each output, its first link of the same type. Unknown node types
    are reported here, once.
    """
    problems = [
        _unknown(node_id, node, catalog)
        for node_id, node in workflow.nodes.items()
        if node.type not in catalog and node.mode != "mute"
    ]
    if all(node.mode == "normal" for node in workflow.nodes.values()):
        ends = {name: Link(end.node, end.name) for name, end in workflow.outputs.items()}
        return dict(workflow.nodes), ends, problems
    nodes: dict[str, Node] = {}
    for node_id, node in workflow.nodes.items():
        if node.mode == "normal":
            inputs = {}
            for name, value in node.inputs.items():
                routes = {link: route(link, workflow, catalog) for link in links_in(value)}
                if None not in routes.values():
                    inputs[name] = replace_links(value, routes.__getitem__)
            nodes[node_id] = replace(node, inputs=inputs)
    outputs = {
        name: link
        for name, end in workflow.outputs.items()
        if (link := route(Link(end.node, end.name), workflow, catalog)) is not None
    }
    return nodes, outputs, problems


def route(link: Link, workflow: Workflow, catalog: Mapping[str, NodeType]) -> Link | None:
    """Where a link leads once bypassed nodes are skipped; none if it ends at a muted node."""
    seen = set()
    while link not in seen:
        seen.add(link)
        node = workflow.nodes.get(link.node)
        if node is None or node.mode == "normal":
            return link
        declared = catalog.get(node.type)
        if node.mode == "mute" or declared is None or link.output not in declared.outputs:
            return None
        wanted = declared.outputs[link.output]
        passed = (
            value
            for name, value in node.inputs.items()
            if isinstance(value, Link)
            and name in declared.inputs
            and _passes(declared.inputs[name].hint, wanted)
        )
        following = next(passed, None)
        if following is None:
            return None
        link = following
    return None


def _passes(given: Any, wanted: Any) -> bool:
    """Whether a bypassed input of one type stands for an output of another."""
    return given is wanted if isinstance(wanted, TypeVar) else accepts(wanted, given, {})


def _unknown(node_id: str, node: Node, catalog: Mapping[str, NodeType]) -> Problem:
    near = getattr(catalog, "nearest", lambda _: None)(node.type)
    return Problem(
        "unknown_node",
        f'node "{node_id}": there is no node type {node.type!r}'
        + (f"; the nearest is {near}" if near else "; `darkroom nodes` lists them"),
        node_id,
        hint=near,
    )
