"""Graphs over toys run by a whole server, and what holds of all its answers."""

import json
from typing import Any

from .serving import Served

Json = dict[str, Any]


def graph(nodes: Json, **outputs: str) -> Json:
    """A graph over toy nodes; without any, one that adds."""
    nodes = nodes or {"a": {"type": "Add", "inputs": {"a": 1.0, "b": 2.0}}}
    ends = outputs or {"value": next(iter(nodes))}
    return {
        "darkroom": 1,
        "name": "toy",
        "nodes": nodes,
        "outputs": {name: {"node": node, "output": "value"} for name, node in ends.items()},
    }


def node(kind: str, **inputs: Any) -> Json:
    return graph({"a": {"type": kind, "inputs": inputs}})


def run(served: Served, document: Json) -> Json:
    status, told = served.call("POST", "/api/v1/jobs", {"document": document})
    assert status == 201, told
    return served.finished(told["id"], 60)


def check_alive(served: Served) -> None:
    """It takes a job and runs it."""
    assert run(served, node("Add", a=2.0))["state"] == "succeeded"


def check_problem(told: Any, status: int) -> None:
    """The answer is a whole problem document, without a word of the program's inside."""
    assert told["status"] == status
    assert told["type"].startswith("/api/v1/problems/")
    assert told["title"]
    assert told["detail"]
    assert "Traceback" not in json.dumps(told)
