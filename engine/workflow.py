"""The document: nodes, links, named inputs and outputs, and the file that holds them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from .errors import GraphError, MigrationError, Problem
from .files import write_whole
from .links import MAX_DEPTH, parse_links, unparsed
from .node import Json, NodeType

FORMAT = 1
"""The version of the document that this program writes."""
MAX_BYTES = 64 * 2**20
MAX_DIGITS = 400
Mode = Literal["normal", "mute", "bypass"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a named input or output of the workflow leads: a node, and its input or output.

    A named input may lead to further ones, `also`; the first tells its type and default.
    """

    node: str
    name: str
    extra: Json = field(default_factory=dict)
    also: "tuple[Endpoint, ...]" = ()


@dataclass(frozen=True, slots=True)
class Node:
    """A node type placed in a workflow. Values of `inputs` are JSON with `Link`s inside."""

    type: str
    version: int = 1
    inputs: Mapping[str, Any] = field(default_factory=dict)
    mode: Mode = "normal"
    extra: Json = field(default_factory=dict)

    def with_inputs(self, values: Mapping[str, Any]) -> "Node":
        """The node with some inputs given anew."""
        return replace(self, inputs={**self.inputs, **values})


@dataclass(frozen=True)
class Workflow:
    """A graph as data. Unknown keys and the view are kept untouched.

    `folder` is where the names of other workflow files are looked up from.
    """

    name: str = ""
    inputs: Mapping[str, Endpoint] = field(default_factory=dict)
    outputs: Mapping[str, Endpoint] = field(default_factory=dict)
    nodes: Mapping[str, Node] = field(default_factory=dict)
    subgraphs: "Mapping[str, Workflow]" = field(default_factory=dict)
    extra: Json = field(default_factory=dict)
    folder: Path | None = field(default=None, compare=False)

    @classmethod
    def read(cls, path: Path) -> "Workflow":
        """The workflow in a JSON file.

        Raises:
            GraphError: The file is missing, too large, not JSON, or not a workflow.
        """
        try:
            if path.stat().st_size > MAX_BYTES:
                raise _unreadable(f"{path} is larger than {MAX_BYTES} bytes: it is no workflow")
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise _unreadable(f"{path} does not exist: give the path of a workflow file") from None
        except (OSError, UnicodeDecodeError) as error:
            raise _unreadable(f"{path} cannot be read as text: {error}") from error
        return replace(cls.parse(text, str(path)), folder=path.absolute().parent)

    @classmethod
    def parse(cls, text: str, source: str = "the text") -> "Workflow":
        """The workflow in a JSON text; `source` names it in messages."""
        try:
            document = json.loads(
                text, object_pairs_hook=_distinct, parse_constant=_finite, parse_int=_whole
            )
            return cls.from_json(document, source)
        except _NotJsonError as error:
            raise _unreadable(f"{source}: {error}") from error
        except json.JSONDecodeError as error:
            raise _unreadable(
                f"{source} is not JSON: {error.msg} at line {error.lineno}, column {error.colno};"
                " correct it there, or save the workflow again"
            ) from error
        except RecursionError:
            raise _unreadable(f"{source} is nested too deeply to be a workflow") from None

    @classmethod
    def from_json(cls, document: object, source: str = "the document") -> "Workflow":
        """The workflow in a JSON value.

        Raises:
            GraphError: With every place where it does not have the form of a workflow.
        """
        reader = _Reader(source)
        workflow = reader.workflow(document)
        if reader.problems:
            raise GraphError(reader.problems)
        return workflow

    def to_json(self) -> Json:
        """The document in canonical order: structure first, what we do not know after it."""
        return {"darkroom": FORMAT, "name": self.name} | self._body()

    def _body(self) -> Json:
        document: Json = {}
        document["inputs"] = {n: _endpoint_json(e, "input") for n, e in self.inputs.items()}
        document["outputs"] = {n: _endpoint_json(e, "output") for n, e in self.outputs.items()}
        document["nodes"] = {n: _node_json(node) for n, node in self.nodes.items()}
        if self.subgraphs:
            document["subgraphs"] = {n: graph.as_subgraph() for n, graph in self.subgraphs.items()}
        return document | self.extra

    def as_subgraph(self) -> Json:
        """The document as it stands inside another one."""
        return ({"name": self.name} if self.name else {}) | self._body()

    def text(self) -> str:
        """The canonical text: what `write` puts into the file."""
        return json.dumps(self.to_json(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def write(self, path: Path) -> None:
        """Save atomically: the file holds the old text or the new, never a part."""
        write_whole(path, self.text().encode(), durable=True)

    def with_input(self, name: str, value: object) -> "Workflow":
        """The workflow with one of its named inputs (or `node.input`) set to a JSON value.

        Raises:
            GraphError: There is no such input (the hint is the nearest), or the value is a broken link.
        """
        endpoint = self.inputs.get(name)
        if endpoint is None:
            node, _, input_name = name.rpartition(".")
            if node not in self.nodes or not input_name:
                raise GraphError([self._no_such_input(name)])
            endpoint = Endpoint(node, input_name)
        try:
            parsed = parse_links(value)
        except ValueError as error:
            raise GraphError([Problem("document", str(error), endpoint.node, name)]) from error
        nodes = dict(self.nodes)
        for end in (endpoint, *endpoint.also):
            nodes[end.node] = nodes[end.node].with_inputs({end.name: parsed})
        return replace(self, nodes=nodes)

    def _no_such_input(self, name: str) -> Problem:
        known = [*self.inputs, *(f"{n}.{i}" for n, node in self.nodes.items() for i in node.inputs)]
        near = get_close_matches(name, known, 1)
        return Problem(
            "unknown_input",
            f"the workflow has no input {name!r}; it has {', '.join(self.inputs) or 'none'}"
            " (any input of a node is node.input)",
            input=name,
            hint=near[0] if near else None,
        )


def migrate(workflow: Workflow, types: Mapping[str, NodeType]) -> tuple[Workflow, list[Problem]]:
    """Bring every node to the installed version of its type, one version at a time.

    A node that cannot be brought there is kept as it is and reported. One that only another process
    can bring there stays open: of its old version, without inputs.
    """
    problems: list[Problem] = []
    nodes: dict[str, Node] = {}
    for node_id, node in workflow.nodes.items():
        declared = types.get(node.type)
        if declared is None or (declared.version == node.version and declared.name == node.type):
            nodes[node_id] = node
            continue
        if declared.migrated_elsewhere.intersection(range(node.version, declared.version)):
            mode: Mode = "mute" if node.mode == "mute" else "normal"
            nodes[node_id] = replace(node, type=declared.name, inputs={}, mode=mode)
            continue
        try:
            nodes[node_id] = _migrated(node_id, node, declared)
        except MigrationError as error:
            problems.append(Problem("version", str(error), node=node_id))
            nodes[node_id] = node
    return replace(workflow, nodes=nodes), problems


def _migrated(node_id: str, node: Node, declared: NodeType) -> Node:
    if node.version > declared.version:
        raise MigrationError(
            f'{node.type} "{node_id}" was saved by version {node.version} of the node, version'
            f" {declared.version} is installed: update Darkroom"
        )
    inputs = dict(node.inputs)
    for version in range(node.version, declared.version):
        step = declared.migrations.get(version)
        try:
            inputs = inputs if step is None else step(inputs)
        except Exception as error:
            raise MigrationError(
                f'{node.type} "{node_id}" could not be migrated from version {version}: {error!r}'
            ) from error
    return replace(node, type=declared.name, version=declared.version, inputs=inputs)


def _node_json(node: Node) -> Json:
    document: Json = {"type": node.type, "version": node.version}
    if node.mode != "normal":
        document["mode"] = node.mode
    document["inputs"] = unparsed(dict(node.inputs))
    return document | node.extra


def _endpoint_json(endpoint: Endpoint, role: str) -> Json:
    also = [_endpoint_json(end, role) for end in endpoint.also]
    document: Json = {"node": endpoint.node, role: endpoint.name}
    return document | ({"also": also} if also else {}) | endpoint.extra


class _NotJsonError(ValueError):
    """What Python's parser allows and JSON, or a document, does not."""


def _distinct(pairs: list[tuple[str, Any]]) -> Json:
    result = dict(pairs)
    if len(result) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _NotJsonError(f"the name {twice!r} stands twice in one object: remove one")
    return result


def _finite(constant: str) -> float:
    raise _NotJsonError(f"{constant} is not a JSON number: give a finite one")


def _whole(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise _NotJsonError(f"a number has {len(digits)} digits: give at most {MAX_DIGITS}")
    return int(digits)


def _unreadable(message: str) -> GraphError:
    return GraphError([Problem("unreadable", message)])


class _Reader:
    """Reads a document and collects what is wrong with its form."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.problems: list[Problem] = []

    def wrong(self, message: str, node: str | None = None, name: str | None = None) -> None:
        where = f' node "{node}":' if node else ""
        self.problems.append(Problem("document", f"{self.source}:{where} {message}", node, name))

    def workflow(self, document: object) -> Workflow:
        if not isinstance(document, dict) or "darkroom" not in document:
            self.wrong('this is not a Darkroom workflow: it lacks {"darkroom": 1, "nodes": …}')
            return Workflow()
        rest = dict(document)
        version = rest.pop("darkroom")
        if version != FORMAT or isinstance(version, bool):
            self.wrong(
                f"the format is version {version!r}, this program reads {FORMAT}: update Darkroom"
            )
        return self.body(rest)

    def body(self, rest: Json, depth: int = MAX_DEPTH) -> Workflow:
        """What a document and a subgraph have in common; takes `rest` apart."""
        name = rest.pop("name", "")
        if not isinstance(name, str):
            self.wrong(f"name is {name!r}; give a string")
            name = ""
        nodes = {i: self.node(i, item) for i, item in self.table(rest.pop("nodes", {}), "nodes")}
        return Workflow(
            name=name,
            inputs=self.endpoints(rest.pop("inputs", {}), "input"),
            outputs=self.endpoints(rest.pop("outputs", {}), "output"),
            nodes=nodes,
            subgraphs=self.subgraphs(rest.pop("subgraphs", {}), depth - 1),
            extra=rest,
        )

    def subgraphs(self, value: object, depth: int) -> dict[str, Workflow]:
        if depth < 0:
            self.wrong(f"subgraphs are nested more than {MAX_DEPTH} deep")
            return {}
        found: dict[str, Workflow] = {}
        for name, item in self.table(value, "subgraphs"):
            if isinstance(item, dict):
                outer, self.source = self.source, f"{self.source}: subgraph {name!r}"
                found[name] = self.body({n: v for n, v in item.items() if n != "darkroom"}, depth)
                self.source = outer
            else:
                self.wrong(f"subgraph {name!r} is {item!r:.60}; give an object")
        return found

    def table(self, value: object, name: str) -> list[tuple[str, Any]]:
        if isinstance(value, dict):
            return list(value.items())
        self.wrong(f"{name} is {value!r:.60}; give an object")
        return []

    def endpoints(self, value: object, role: str) -> dict[str, Endpoint]:
        found: dict[str, Endpoint] = {}
        for name, item in self.table(value, f"{role}s"):
            end = self.endpoint(item, role)
            if end is None:
                self.wrong(f'{role} {name!r} needs {{"node": …, "{role}": …}}', None, name)
            else:
                found[name] = end
        return found

    def endpoint(self, item: object, role: str, *, first: bool = True) -> Endpoint | None:
        rest = dict(item) if isinstance(item, dict) else {}
        node, inner = rest.pop("node", None), rest.pop(role, None)
        more = rest.pop("also", []) if first and role == "input" else []
        also = (
            [self.endpoint(each, role, first=False) for each in more]
            if isinstance(more, list)
            else [None]
        )
        if not isinstance(node, str) or not isinstance(inner, str) or None in also:
            return None
        return Endpoint(node, inner, rest, tuple(end for end in also if end))

    def node(self, node_id: str, item: object) -> Node:
        if not isinstance(item, dict) or not isinstance(item.get("type"), str):
            self.wrong('it needs a "type"', node_id)
            return Node("")
        rest = dict(item)
        type_name, version = rest.pop("type"), rest.pop("version", 1)
        mode, inputs = rest.pop("mode", "normal"), rest.pop("inputs", {})
        if not isinstance(version, int) or isinstance(version, bool) or version < 1:
            self.wrong(f"version is {version!r}; give a whole number from 1", node_id)
            version = 1
        if mode not in {"normal", "mute", "bypass"}:
            self.wrong(f'mode is {mode!r}; give "mute", "bypass" or leave it out', node_id)
            mode = "normal"
        values: Json = {}
        for name, value in self.table(inputs, "inputs"):
            try:
                values[name] = parse_links(value)
            except ValueError as error:
                self.wrong(f"{name}: {error}", node_id, name)
        return Node(type_name, version, values, mode, rest)
