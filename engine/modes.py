"""Muted and bypassed nodes: the graph as it is without them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from .links import Link, links_in, replace_links
from .node import Input
from .types import accepts
from .workflow import Node, Workflow


class Signature(Protocol):
    """What a node takes and gives: a declared type, or a graph that stands as a node."""

    @property
    def inputs(self) -> Mapping[str, Input]: ...

    @property
    def outputs(self) -> Mapping[str, Any]: ...


Lookup = Callable[[Node], Signature | None]


class Outer(Link):
    """A link that was already followed out of the graph that it stands in."""


def active(workflow: Workflow, signature: Lookup) -> tuple[dict[str, Node], dict[str, Link]]:
    """The nodes that count, and the sources of the named outputs.

    A muted node is as if it were not there: an input that links to it falls back to its default.
    A bypassed node passes on, for each output, its first link of the same type.
    """
    if all(node.mode == "normal" for node in workflow.nodes.values()):
        ends = {name: Link(end.node, end.name) for name, end in workflow.outputs.items()}
        return dict(workflow.nodes), ends
    nodes: dict[str, Node] = {}
    for node_id, node in workflow.nodes.items():
        if node.mode == "normal":
            inputs = {}
            for name, value in node.inputs.items():
                routes = {link: route(link, workflow, signature) for link in links_in(value)}
                if None not in routes.values():
                    inputs[name] = replace_links(value, routes.__getitem__)
            nodes[node_id] = replace(node, inputs=inputs)
    outputs = {
        name: link
        for name, end in workflow.outputs.items()
        if (link := route(Link(end.node, end.name), workflow, signature)) is not None
    }
    return nodes, outputs


def route(link: Link, workflow: Workflow, signature: Lookup) -> Link | None:
    """Where a link leads once bypassed nodes are skipped; none if it ends at a muted node."""
    seen = set()
    while link not in seen:
        if isinstance(link, Outer):
            return link
        seen.add(link)
        node = workflow.nodes.get(link.node)
        if node is None or node.mode == "normal":
            return link
        declared = signature(node)
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
