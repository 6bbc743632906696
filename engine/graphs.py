"""Graphs that stand as nodes: where their definitions are found, and what they take and give."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from .constructs import LOOP, MAP, SUBGRAPH
from .errors import GraphError, InputError, Problem
from .grid import Grid
from .links import MAX_DEPTH
from .modes import Signature
from .node import Input, NodeType
from .workflow import Node, Workflow, migrate

CONSTRUCTS = frozenset({SUBGRAPH, MAP, LOOP})


@dataclass(frozen=True)
class Definition:
    """A graph as it was found by its name.

    `scopes` are the graphs whose subgraphs its nodes may name, from the outermost to itself.
    """

    name: str
    identity: object
    graph: Workflow
    scopes: tuple[Workflow, ...]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class GraphSignature:
    """What a graph takes and gives where it stands as a node."""

    inputs: Mapping[str, Input]
    outputs: Mapping[str, Any]


@dataclass
class Library:
    """Finds graphs by name: in the subgraphs around a node, from the inside out, or in files.

    Every definition is read and migrated once.
    """

    catalog: Mapping[str, NodeType]
    migrated: dict[int, tuple[Workflow, Workflow, tuple[Problem, ...]]] = field(
        default_factory=dict
    )
    files: dict[Path, Workflow] = field(default_factory=dict)
    signatures: dict[tuple[int, str], GraphSignature] = field(default_factory=dict)

    def whole(self, workflow: Workflow) -> Definition:
        """The document itself as a definition."""
        graph, problems = self._migrated(workflow)
        return Definition(workflow.name or "the workflow", None, graph, (graph,), problems)

    def find(self, node: Node, scopes: tuple[Workflow, ...]) -> Definition:
        """The graph that a node names.

        Raises:
            InputError: It names none, or one that is not there.
            GraphError: The file that it names is no workflow.
        """
        name = node.extra.get("graph")
        if not isinstance(name, str) or not name:
            raise InputError(
                'it names no graph: give it "graph": a name of "subgraphs", or a workflow file',
                code="unknown_graph",
            )
        for index in reversed(range(len(scopes))):
            found = scopes[index].subgraphs.get(name)
            if found is not None:
                graph, problems = self._migrated(found)
                inner = (*scopes[: index + 1], graph)
                return Definition(name, id(found), graph, inner, problems)
        if name.endswith(".json"):
            return self._from_file(name, scopes[0].folder)
        known = [each for scope in reversed(scopes) for each in scope.subgraphs]
        near = get_close_matches(name, known, 1)
        raise InputError(
            f"there is no subgraph {name!r} here; there are {', '.join(known) or 'none'}",
            code="unknown_graph",
            hint=near[0] if near else None,
        )

    def signature(
        self, node: Node, scopes: tuple[Workflow, ...], depth: int = MAX_DEPTH
    ) -> Signature | None:
        """What a node takes and gives; none if its type or its graph is not there."""
        if node.type not in CONSTRUCTS:
            return self.catalog.get(node.type)
        if depth < 0:
            return None
        try:
            found = self.find(node, scopes)
        except (InputError, GraphError):
            return None
        key = (id(found.graph), node.type)
        if key not in self.signatures:
            self.signatures[key] = GraphSignature({}, {})  # of one that contains itself
            self.signatures[key] = self._read(found, is_map=node.type == MAP, depth=depth)
        return self.signatures[key]

    def _read(self, found: Definition, *, is_map: bool, depth: int) -> GraphSignature:
        ends = {end.node for end in (*found.graph.inputs.values(), *found.graph.outputs.values())}
        inner = {node: self._inner(found, node, depth) for node in ends}
        inputs: dict[str, Input] = {}
        outputs: dict[str, Any] = {}
        for name, end in found.graph.inputs.items():
            taking = inner[end.node]
            if taking is not None and end.name in taking.inputs:
                inputs[name] = taking.inputs[end.name]
        for name, end in found.graph.outputs.items():
            giving = inner[end.node]
            hint: Any = Any if giving is None else giving.outputs.get(end.name, Any)
            outputs[name] = Grid[hint] if is_map else hint
        return GraphSignature(inputs, outputs)

    def bundled(self, workflow: Workflow) -> Workflow:
        """The document with the graphs that it takes from other files among its own subgraphs."""
        if workflow.folder is None:
            return workflow
        taken = dict(workflow.subgraphs)
        for name in _files_named(workflow):
            if name not in taken:
                path = (workflow.folder / name).resolve()
                if path in self.files:
                    taken[name] = self.bundled(self.files[path])
        return replace(workflow, subgraphs=taken)

    def _inner(self, found: Definition, node_id: str, depth: int) -> Signature | None:
        node = found.graph.nodes.get(node_id)
        return None if node is None else self.signature(node, found.scopes, depth - 1)

    def _from_file(self, name: str, folder: Path | None) -> Definition:
        if folder is None:
            raise InputError(
                f"it names the file {name!r}, and this document has no folder to look in: put the"
                ' graph into "subgraphs"',
                code="unknown_graph",
            )
        path = (folder / name).resolve()
        if path not in self.files:
            self.files[path] = Workflow.read(path)
        graph, problems = self._migrated(self.files[path])
        return Definition(name, path, graph, (graph,), problems)

    def _migrated(self, graph: Workflow) -> tuple[Workflow, tuple[Problem, ...]]:
        found = self.migrated.get(id(graph))
        if found is None:
            new, problems = migrate(graph, self.catalog)
            # The old graph is kept as well, so that nothing else takes its id.
            found = self.migrated[id(graph)] = (graph, new, tuple(problems))
        return found[1], found[2]


def _files_named(graph: Workflow) -> list[str]:
    names = [
        str(node.extra["graph"])
        for node in graph.nodes.values()
        if node.type in CONSTRUCTS and str(node.extra.get("graph")).endswith(".json")
    ]
    return names + [name for inner in graph.subgraphs.values() for name in _files_named(inner)]
