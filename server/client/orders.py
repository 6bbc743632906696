"""What is asked to be run: a workflow in any of its forms, with values for its inputs."""

import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine.workflow import Workflow

from .errors import ClientError

Json = dict[str, Any]
Runnable = str | Path | Mapping[str, Any] | Workflow
"""The name of a saved workflow, a workflow's file, its document, or the workflow itself."""


@dataclass(frozen=True)
class Order:
    """A graph to be run. A `Path` among the values is a picture that is sent to the server first."""

    workflow: Runnable
    inputs: Mapping[str, Any] = field(default_factory=dict)
    axes: Mapping[str, Any] = field(default_factory=dict)
    """Inputs to sweep: a list of values, or `{"from": 0, "to": 7}`."""
    priority: int = 0
    """Higher runs earlier."""
    front: bool = False
    """Whether it goes before the others of its priority."""
    webhook: str | None = None
    """An address that is told how the job ended."""

    def graph(self) -> Json:
        """The workflow and its values, as the server takes them.

        Raises:
            GraphError: The file is no workflow.
        """
        body = _named(self.workflow)
        if self.inputs:
            body["inputs"] = dict(self.inputs)
        if self.axes:
            body["axes"] = {n: _axis(values) for n, values in self.axes.items()}
        return body

    def body(self) -> Json:
        """All of it, as the server takes it."""
        rest: Json = {"priority": self.priority, "front": self.front, "webhook": self.webhook}
        return self.graph() | {name: value for name, value in rest.items() if value}

    async def sent(self, send: Callable[[Path], Awaitable[str]]) -> "Order":
        """The order with the name that `send` gives in the place of each picture."""
        return replace(
            self, inputs=await _sent(self.inputs, send), axes=await _sent(self.axes, send)
        )


def new_key() -> str:
    """An idempotency key: a request that comes twice with it makes one job."""
    return uuid.uuid4().hex


def bundled(workflow: Workflow) -> Workflow:
    """The workflow with the graphs that it takes from files beside it among its own subgraphs.

    Raises:
        GraphError: Such a file is no workflow.
    """
    return workflow if workflow.folder is None else _bundled(workflow, ())


def document_of(runnable: Runnable) -> Json:
    """The document of what is not merely a name.

    Raises:
        ClientError: It is a name, or a file that is not there.
    """
    body = _named(runnable)
    if "document" not in body:
        raise ClientError(f"{runnable!r} is the name of a workflow: give a file or a document")
    document: Json = body["document"]
    return document


def _named(runnable: Runnable) -> Json:
    if isinstance(runnable, Workflow):
        return {"document": bundled(runnable).to_json()}
    if isinstance(runnable, Mapping):
        return {"document": dict(runnable)}
    path = Path(runnable)
    if isinstance(runnable, str) and path.suffix != ".json" and not path.is_file():
        return {"workflow": runnable}
    if not path.is_file():
        raise ClientError(f"there is no workflow file {path}")
    return {"document": bundled(Workflow.read(path)).to_json()}


def _bundled(workflow: Workflow, within: tuple[Path, ...]) -> Workflow:
    taken = dict(workflow.subgraphs)
    for name in _files_named(workflow):
        path = ((workflow.folder or Path()) / name).resolve()
        if name not in taken and path not in within and path.is_file():
            taken[name] = _bundled(Workflow.read(path), (*within, path))
    return replace(workflow, subgraphs=taken, folder=None)


def _files_named(graph: Workflow) -> list[str]:
    named = [node.extra.get("graph") for node in graph.nodes.values()]
    own = [name for name in named if isinstance(name, str) and name.endswith(".json")]
    return own + [name for inner in graph.subgraphs.values() for name in _files_named(inner)]


def _axis(values: Any) -> Any:
    """A sweep's values; a range of Python is told by its ends, which the server includes."""
    if isinstance(values, range) and values:
        return {"from": values[0], "to": values[-1], "step": values.step}
    return values if isinstance(values, Mapping) else list(values)


async def _sent(value: Any, send: Callable[[Path], Awaitable[str]]) -> Any:
    if isinstance(value, Path):
        return await send(value)
    if isinstance(value, Mapping):
        return {name: await _sent(item, send) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [await _sent(item, send) for item in value]
    return value
