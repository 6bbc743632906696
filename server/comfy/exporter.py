"""Our documents as ComfyUI graphs, in the format that its API takes."""

from dataclasses import dataclass
from typing import Any

from engine.links import Link, links_in, replace_links, unparsed
from engine.workflow import Node, Workflow

from .flattening import Flattening
from .graph import Graph, Json, Placed, Wire
from .matching import Match, match
from .prompt import write_prompt
from .recipes import Catalogue
from .report import Report
from .translation import KEPT, UNKNOWN

_CONSTRUCTS = frozenset({"Map", "Loop"})


@dataclass(frozen=True)
class Exported:
    """A ComfyUI graph made of a document, and what has no counterpart there."""

    graph: Graph
    report: Report
    ids: dict[str, str]
    """For each ComfyUI node our node that gives its result."""

    @property
    def prompt(self) -> Json:
        """The graph in the API format."""
        return write_prompt(self.graph)


def export_workflow(workflow: Workflow, catalogue: Catalogue) -> Exported:
    """The ComfyUI graph for a document."""
    exporting = _Exporting(workflow, catalogue)
    for node_id in exporting.roots():
        exporting.place(node_id)
    exporting.wire()
    report = exporting.report
    report.nodes = len(exporting.nodes)
    graph = Graph(dict(sorted(exporting.placed.items(), key=lambda pair: int(pair[0]))))
    return Exported(graph, report, {number: our for our, number in exporting.numbers.items()})


class _Exporting:
    """Places ComfyUI nodes one by one, each after those that it links to are numbered."""

    def __init__(self, workflow: Workflow, catalogue: Catalogue) -> None:
        self.catalogue, self.report = catalogue, Report()
        self.nodes = Flattening(catalogue, self.report).of(workflow)
        self.numbers: dict[str, str] = {}
        self.placed: dict[str, Placed] = {}
        self.matches: dict[str, Match | str] = {}
        view = workflow.extra.get("view")
        shown = view.get("nodes") if isinstance(view, dict) else None
        self.shown: Json = shown if isinstance(shown, dict) else {}

    def roots(self) -> list[str]:
        """The nodes that no other one links to."""
        read = {
            link.node
            for node in self.nodes.values()
            for value in node.inputs.values()
            for link in links_in(value)
        }
        return [node_id for node_id in self.nodes if node_id not in read]

    def place(self, root: str) -> None:
        """Place a node and all that it needs; not by calling itself, for graphs are deep."""
        todo = [root]
        while todo:
            node_id = todo.pop()
            if node_id in self.numbers or node_id not in self.nodes:
                continue
            self.numbers[node_id] = str(len(self.numbers) + 1)
            node = self.nodes[node_id]
            values = self._values(node_id, node)
            for value in values.values():
                todo += [link.node for link in links_in(value)]
            self.placed[self.numbers[node_id]] = Placed(
                self.numbers[node_id], self._type(node_id, node), values, title=self._title(node_id)
            )

    def wire(self) -> None:
        """Make wires of the links, once all nodes are numbered."""
        for number, placed in self.placed.items():
            inputs = {n: replace_links(v, self._wire) for n, v in placed.inputs.items()}
            kept = {n: v for n, v in inputs.items() if v is not None}
            self.placed[number] = Placed(number, placed.type, kept, title=placed.title)

    def _found(self, node_id: str) -> Match | None:
        if node_id not in self.matches:
            self.matches[node_id] = match(node_id, self.nodes, self.catalogue)
        found = self.matches[node_id]
        return found if isinstance(found, Match) else None

    def _type(self, node_id: str, node: Node) -> str:
        found = self._found(node_id)
        return found.entry.name if found else node.type.removeprefix(UNKNOWN)

    def _values(self, node_id: str, node: Node) -> Json:
        found = self._found(node_id)
        if found is not None:
            for near in found.near:
                self.report.add("near", "near", near, node_id, type=node.type)
            return _in_order(found)
        if node.type.startswith(UNKNOWN):
            kept = node.extra.get(KEPT, {})
            if isinstance(kept, dict) and kept.get("widgets_values"):
                message = "its values have no names, which the API format needs: they are left out"
                self.report.add("missing", "unnamed_values", message, node_id, type=node.type)
            more = kept.get("values") if isinstance(kept, dict) else None
            return {**node.inputs, **(more if isinstance(more, dict) else {})}
        what = "a graph that runs again and again" if node.type in _CONSTRUCTS else "such a node"
        reason = self.matches[node_id]
        message = f"ComfyUI has no counterpart for {what} with these inputs"
        message += f": {reason}" if isinstance(reason, str) and reason else ""
        self.report.add("missing", "no_counterpart", message, node_id, type=node.type)
        return {name: _plain(value) for name, value in node.inputs.items()}

    def _wire(self, link: Link) -> Wire | None:
        if link.node not in self.numbers:
            message = f'a link leads to the node "{link.node}", which is not there'
            self.report.add("missing", "dead_link", message)
            return None
        number = self.numbers[link.node]
        found = self._found(link.node)
        if found is None:
            return Wire(number, int(link.output) if link.output.isdecimal() else 0)
        slot = found.slot(link.output)
        if slot is None:
            message = f"ComfyUI's {found.entry.name} has no output for {link.output!r}"
            node = self.nodes[link.node]
            self.report.add("missing", "missing_output", message, link.node, type=node.type)
        return None if slot is None else Wire(number, slot)

    def _title(self, node_id: str) -> str:
        view = self.shown.get(node_id)
        title = view.get("title") if isinstance(view, dict) else None
        return title if isinstance(title, str) else ""


def _in_order(found: Match) -> Json:
    """The values in the order in which ComfyUI declares them, those without a value by default."""
    values: Json = {}
    for declared in found.entry.inputs:
        if declared.name in found.values:
            values[declared.name] = found.values[declared.name]
        elif declared.is_widget and declared.required and declared.default is not None:
            values[declared.name] = declared.default
    return values


def _plain(value: Any) -> Any:
    return value if isinstance(value, Link) else unparsed(value)
