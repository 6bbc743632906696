"""Our documents as plain nodes, as far as ComfyUI's API format can hold them."""

from collections.abc import Mapping
from dataclasses import replace

from engine.links import Link, links_in, replace_links
from engine.workflow import Node, Workflow

from .recipes import Catalogue
from .report import Report
from .translation import UNKNOWN

MOST = 20_000
"""The most nodes that a document may become."""


class Flattening:
    """Takes subgraphs apart, and muted and bypassed nodes out."""

    def __init__(self, catalogue: Catalogue, report: Report) -> None:
        self.catalogue, self.report = catalogue, report
        self.nodes: dict[str, Node] = {}
        self.outputs: dict[tuple[str, str], Link] = {}
        """What the outputs of nodes that are gone lead to."""
        self.gone: set[str] = set()

    def of(self, workflow: Workflow) -> dict[str, Node]:
        """The plain nodes, with links to each other only."""
        self._add(workflow, "", (workflow,))
        found = {}
        for node_id, node in self.nodes.items():
            inputs = {}
            for name, value in node.inputs.items():
                routes = {link: self.route(link) for link in links_in(value)}
                if None not in routes.values():
                    inputs[name] = replace_links(value, routes.__getitem__)
            found[node_id] = replace(node, inputs=inputs)
        return found

    def route(self, link: Link) -> Link | None:
        """Where a link leads in the end; none if that is a node that is gone."""
        seen = set()
        while (link.node, link.output) in self.outputs and link not in seen:
            seen.add(link)
            link = self.outputs[link.node, link.output]
        return None if link.node in self.gone else link

    def _add(self, workflow: Workflow, prefix: str, around: tuple[Workflow, ...]) -> None:
        for name, node in workflow.nodes.items():
            node_id = prefix + name
            inputs = {
                n: replace_links(value, lambda link: Link(prefix + link.node, link.output))
                for n, value in node.inputs.items()
            }
            placed = replace(node, inputs=inputs, mode="normal")
            if node.mode != "normal":
                self.gone.add(node_id)
                if node.mode == "bypass":
                    self._bypass(node_id, placed)
            elif node.type == "Subgraph":
                self._open(node_id, placed, around)
            elif len(self.nodes) >= MOST:
                self.gone.add(node_id)
                message = f"the document becomes more than {MOST} nodes"
                self.report.add("missing", "too_large", message)
            else:
                self.nodes[node_id] = placed

    def _open(self, node_id: str, node: Node, around: tuple[Workflow, ...]) -> None:
        self.gone.add(node_id)
        name = str(node.extra.get("graph"))
        inner = next((each.subgraphs[name] for each in around if name in each.subgraphs), None)
        if inner is None or inner in around:
            message = f"its graph {name!r} is not in the document: put it among its subgraphs"
            self.report.add("missing", "unknown_graph", message, node_id, type=node.type)
            return
        prefix = f"{node_id}/"
        given: dict[str, dict[str, object]] = {}
        for port, value in node.inputs.items():
            endpoint = inner.inputs.get(port)
            for end in () if endpoint is None else (endpoint, *endpoint.also):
                given.setdefault(end.node, {})[end.name] = value
        self._add(inner, prefix, (inner, *around))
        for inside, values in given.items():
            if (placed := self.nodes.get(prefix + inside)) is not None:
                self.nodes[prefix + inside] = placed.with_inputs(values)
        for output, end in inner.outputs.items():
            self.outputs[node_id, output] = Link(prefix + end.node, end.name)

    def _bypass(self, node_id: str, node: Node) -> None:
        """Lead each output to the first link of its type."""
        schema = self.catalogue.get(node.type)
        if schema is None or node.type.startswith(UNKNOWN):
            return
        properties: Mapping[str, Mapping[str, object]] = schema["inputs"].get("properties", {})
        for output, kind in schema["outputs"].items():
            for name, value in node.inputs.items():
                if isinstance(value, Link) and properties.get(name, {}).get("link") == kind:
                    self.outputs[node_id, output] = value
                    break
