"""The API format: nodes by id, each with its `class_type` and inputs, as `POST /prompt` takes it."""

import math
import re
from collections.abc import Mapping
from typing import Any

from engine.errors import GraphError, Problem

from .declared import Entry, Input
from .graph import Graph, Json, Placed, Wire
from .report import Report
from .table import TABLE

_OWN = frozenset({"class_type", "inputs", "_meta", "is_changed"})
"""Keys of a node; `is_changed` is what ComfyUI remembered of its own last run."""
_BUTTONS = frozenset({"upload", "choose file to upload", "speak_and_recognation", "is_changed"})
"""What buttons and extensions of the editor leave among the inputs."""
PLACEHOLDER = re.compile(r"PARAM_\w+|\{\{.*\}\}|%\w+%")


def read_prompt(document: Mapping[str, Any], report: Report) -> Graph:
    """The graph in the API format."""
    nodes: dict[str, Placed] = {}
    rest: Json = {}
    for node_id, item in document.items():
        if not isinstance(item, dict) or not isinstance(item.get("class_type"), str):
            message = "this is no node: it has no class_type"
            report.add("missing", "no_node", message, node_id)
            rest[node_id] = item
            continue
        nodes[node_id] = _node(node_id, item, report)
    if not nodes:
        message = 'there is no node in it: give {"1": {"class_type": …, "inputs": …}, …}'
        raise GraphError([Problem("no_workflow", message)])
    return Graph(nodes, rest=rest)


def write_prompt(graph: Graph) -> Json:
    """The graph in the API format, without what the editor alone knows."""
    return {
        node.id: {
            "inputs": {name: _written(value) for name, value in node.inputs.items()},
            "class_type": node.type,
            "_meta": {"title": node.title or title_of(node.type)},
        }
        for node in graph.nodes.values()
        if node.mode == "normal"
    }


def title_of(kind: str) -> str:
    """What ComfyUI's editor calls a node of a type."""
    entry = TABLE.get(kind)
    return entry.title or entry.name if entry else kind


def _written(value: object) -> Any:
    if isinstance(value, Wire):
        return [value.node, value.slot]
    return {"__value__": value} if isinstance(value, list) else value


def _node(node_id: str, item: Json, report: Report) -> Placed:
    kind = item["class_type"].strip()
    given = item.get("inputs")
    if not isinstance(given, dict):
        if given is not None:
            report.add("missing", "inputs", "its inputs are no object", node_id, type=kind)
        given = {}
    entry = TABLE.get(kind)
    inputs: Json = {}
    left: Json = {}
    for name, value in given.items():
        read = _read(value)
        if entry is None:
            inputs[name] = read
            continue
        declared = entry.input(name)
        if declared is None:
            left[name] = value
            known = name in _BUTTONS
            message = "it is left out: the node has no such input"
            report.add(
                "note" if known else "near", "extra_input", message, node_id, type=kind, input=name
            )
        else:
            inputs[name] = coerced(declared, read, report, node_id, entry)
    meta = item.get("_meta")
    title = meta.get("title", "") if isinstance(meta, dict) else ""
    rest: Json = {name: value for name, value in item.items() if name not in _OWN}
    return Placed(
        node_id,
        kind,
        inputs,
        title=title if isinstance(title, str) else "",
        rest=rest | ({"inputs": left} if left else {}),
    )


def _read(value: Any) -> Any:
    match value:
        case [str() | int() as node, int() as slot] if not isinstance(slot, bool):
            return Wire(str(node), slot)
        case {"__value__": list() as inner}:
            return inner
    return value


def coerced(declared: Input, value: Any, report: Report, node: str, entry: Entry) -> Any:
    """The value in the type of its input, as ComfyUI brings literals there itself."""
    if isinstance(value, Wire):
        return value

    def wrong(what: str) -> Any:
        shown = f"{value!r:.60} {what}"
        report.add("missing", "bad_value", shown, node, type=entry.name, input=declared.name)
        return value

    if not declared.is_widget:
        return value if value is None else wrong("stands where a link belongs")
    if isinstance(value, str) and declared.type != "STRING" and PLACEHOLDER.fullmatch(value):
        return wrong("is a placeholder of a template: fill it in")
    try:
        return _as(declared.type, value)
    except (TypeError, ValueError, OverflowError):
        return wrong(f"is no {_KINDS[declared.type]}")


_KINDS = {"INT": "whole number", "FLOAT": "number", "STRING": "text", "BOOLEAN": "truth value"}
_KINDS["COMBO"] = "choice"


def _as(kind: str, value: Any) -> Any:
    if kind == "INT":
        return value if type(value) is int else int(value)
    if kind == "FLOAT":
        number = float(value)
        if not math.isfinite(number):
            raise ValueError(number)
        return number
    if kind == "BOOLEAN":
        return bool(value)
    if kind == "STRING":
        return value if isinstance(value, str) else str(value)
    if not isinstance(value, (str, int, float, bool)):
        raise TypeError(value)
    return value
