"""What a saved workflow takes and gives, as JSON Schema: a typed operation for each."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from engine.errors import GraphError
from engine.graphs import CONSTRUCTS
from engine.links import Link, Varied, unparsed
from engine.workflow import Endpoint, Workflow

from .openapi import REFERENCE, SECURITY, problem_responses
from .operation import Json
from .saved import Saved
from .views import ROOT

_PROBLEMS = (
    "bad_json", "unauthorized", "forbidden", "not_found", "idempotency_conflict", "too_large",
    "unsupported_media_type", "invalid_workflow", "too_many_requests", "internal", "unavailable",
    "disk_full",
)  # fmt: skip
_DEEP = 50
_ANY = {"description": "Any other input of a node, by `node.input`."}
Types = Mapping[str, Json]


class Signatures:
    """Makes the operations of saved workflows; collects the schemas that they name."""

    def __init__(self, types: Types) -> None:
        self.types = types
        self.components: dict[str, Json] = {}

    def paths(self, saved: Iterable[Saved]) -> dict[str, Json]:
        """A path for each workflow that can be read."""
        found: dict[str, Json] = {}
        taken: set[str] = set()
        for one in saved:
            try:
                workflow = one.workflow
            except GraphError:
                continue
            found[f"{ROOT}/workflows/{quote(one.name, safe='')}/run"] = {
                "post": self.operation(one.name, workflow, taken)
            }
        return found

    def operation(self, name: str, workflow: Workflow, taken: set[str]) -> Json:
        """The operation that runs one workflow."""
        base = f"run_{re.sub(r'[^a-z0-9]+', '_', name.lower()).strip('_')}"
        identity = next(
            i for i in (base, *(f"{base}_{n}" for n in range(2, 9999))) if i not in taken
        )
        taken.add(identity)
        answer: Json = {
            "allOf": [
                {"$ref": REFERENCE.format(model="JobView")},
                {"properties": {"outputs": self.outputs(workflow)}},
            ]
        }
        body = {"application/json": {"schema": self.request(workflow)}}
        return {
            "operationId": identity,
            "tags": ["saved workflows"],
            "summary": f"Run {workflow.name or name}.",
            "parameters": [
                {"$ref": "#/components/parameters/idempotency_key"},
                {"$ref": "#/components/parameters/wait"},
            ],
            "requestBody": {"required": True, "content": body},
            "responses": {
                "201": {
                    "description": "The job, queued; or ended, if that was waited for.",
                    "content": {"application/json": {"schema": answer}},
                }
            }
            | problem_responses(_PROBLEMS),
            "security": [{scheme: ["run"]} for scheme in SECURITY],
        }

    def request(self, workflow: Workflow) -> Json:
        """The body of the request: `RunRequest` with the inputs by their names and types."""
        inputs = self.inputs(workflow)
        axes = {name: _axis(schema) for name, schema in inputs["properties"].items()}
        properties = {
            "inputs": {**inputs, "additionalProperties": _ANY},
            "axes": {"type": "object", "properties": axes, "additionalProperties": _axis(_ANY)},
        }
        properties |= {
            name: {"$ref": f"{REFERENCE.format(model='RunRequest')}/properties/{name}"}
            for name in ("priority", "front", "webhook")
        }
        return {"type": "object", "properties": properties, "additionalProperties": False}

    def inputs(self, workflow: Workflow) -> Json:
        """The named inputs, with the values in the document as their defaults."""
        properties: dict[str, Json] = {}
        for name, endpoint in workflow.inputs.items():
            schema = self.input(workflow, endpoint, (workflow,))
            if schema is not None and "link" not in schema:
                properties[name] = schema
        return {"type": "object", "properties": properties, "additionalProperties": False}

    def input(self, graph: Workflow, end: Endpoint, scopes: tuple[Workflow, ...]) -> Json | None:
        """An input's schema, with the value that it has in the graph as its default."""
        node = graph.nodes.get(end.node)
        if node is None or len(scopes) > _DEEP:
            return None
        schema: Json | None
        if node.type in CONSTRUCTS:
            inner = _graph_named(str(node.extra.get("graph")), scopes)
            if inner is None or end.name not in inner.inputs:
                schema = {}
            else:
                schema = self.input(inner, inner.inputs[end.name], (*scopes, inner))
        else:
            schema = self._declared(node.type, end.name)
        if schema is None or end.name not in node.inputs:
            return schema
        value = unparsed(node.inputs[end.name])
        if _is_plain(node.inputs[end.name]):
            return {**schema, "default": value}
        return schema

    def outputs(self, workflow: Workflow) -> Json:
        """The outputs by name."""
        properties: dict[str, Json] = {}
        for name, end in workflow.outputs.items():
            node = workflow.nodes.get(end.node)
            told = None if node is None else self.types.get(node.type)
            kind = "" if told is None else str(told["outputs"].get(end.name, ""))
            described = {"description": kind} if kind else {}
            properties[name] = {"$ref": REFERENCE.format(model="OutputView"), **described}
        return {"type": "object", "properties": properties}

    def _declared(self, type_name: str, input_name: str) -> Json:
        told = self.types.get(type_name)
        if told is None:
            return {}
        for name, schema in told["inputs"].get("$defs", {}).items():
            self.components[f"{type_name}.{name}"] = _moved(schema, type_name)
        found = told["inputs"]["properties"].get(input_name, {})
        moved: Json = _moved(found, type_name)
        return moved


def _moved(schema: Any, type_name: str) -> Any:
    """A schema whose references to definitions lead among the document's components."""
    if isinstance(schema, dict):
        return {
            key: REFERENCE.format(model=f"{type_name}.{value.rpartition('/')[2]}")
            if isinstance(value, str) and value.startswith("#/$defs/")
            else _moved(value, type_name)
            for key, value in schema.items()
        }
    if isinstance(schema, list):
        return [_moved(each, type_name) for each in schema]
    return schema


def _graph_named(name: str, scopes: tuple[Workflow, ...]) -> Workflow | None:
    for scope in reversed(scopes):
        if name in scope.subgraphs:
            return scope.subgraphs[name]
    return None


def _is_plain(value: Any) -> bool:
    if isinstance(value, (Link, Varied)):
        return False
    if isinstance(value, dict):
        return all(_is_plain(each) for each in value.values())
    if isinstance(value, list):
        return all(_is_plain(each) for each in value)
    return value is None or isinstance(value, (bool, int, float, str))


def _axis(schema: Json) -> Json:
    span = {"$ref": REFERENCE.format(model="Span")}
    return {"oneOf": [{"type": "array", "items": schema}, span]}
