"""A workflow built in Python: node functions placed by calls that a type checker understands."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ParamSpec, TypeVar, cast

from pydantic import BaseModel

from .errors import DeclarationError
from .links import Link
from .node import NodeType, node_type
from .workflow import Endpoint, Node, Workflow

P = ParamSpec("P")
R = TypeVar("R")


class Placed:
    """What `Graph.add` gives for a node with named outputs: its attributes are links to them."""

    def __init__(self, node: str, outputs: list[str]) -> None:
        self._node, self._outputs = node, outputs

    def __getattr__(self, name: str) -> Link:
        if name not in self._outputs:
            raise AttributeError(
                f'node "{self._node}" has no output {name!r}; it has {", ".join(self._outputs)}'
            )
        return Link(self._node, name)

    def __iter__(self) -> Iterator[Link]:
        return (Link(self._node, name) for name in self._outputs)


class Graph:
    """Collects placed nodes; `workflow()` is the document."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}

    def add(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Place a node. Typed as the call itself, so that a type checker checks the links.

        A white lie: the result is in truth a `Link`, or a `Placed` for a node with named outputs,
        and nothing is computed. `tests/typing` holds what the lie must still find.
        """
        declared = node_type(function)
        given = inspect.signature(function).bind_partial(*args, **kwargs).arguments
        unknown = sorted(given.keys() - declared.inputs.keys())
        if unknown:
            raise DeclarationError(
                f"{declared.name}: {unknown[0]} is lent by the runner, not an input"
            )
        inputs = {
            name: _as_json(value() if declared.inputs[name].lazy and callable(value) else value)
            for name, value in given.items()
        }
        node_id = self._free_id(function.__name__)
        self.nodes[node_id] = Node(declared.name, declared.version, inputs)
        if list(declared.outputs) == [NodeType.single]:
            return cast("R", Link(node_id))
        return cast("R", Placed(node_id, list(declared.outputs)))

    def workflow(
        self,
        name: str = "",
        *,
        inputs: Mapping[str, tuple[str, str]] | None = None,
        **outputs: object,
    ) -> Workflow:
        """The document, with the links given by name as its outputs.

        Args:
            name: What the workflow is called.
            inputs: Named inputs: for each name a node's id and its input.
            outputs: Links that `add` returned, by the name they shall have.
        """
        ends = {n: Endpoint(*ends) for n, ends in (inputs or {}).items()}
        links = {n: cast("Link", link) for n, link in outputs.items()}
        return Workflow(
            name=name,
            inputs=ends,
            outputs={n: Endpoint(link.node, link.output) for n, link in links.items()},
            nodes=dict(self.nodes),
        )

    def _free_id(self, stem: str) -> str:
        number = sum(
            1 for node_id in self.nodes if node_id.rstrip("0123456789").rstrip("_") == stem
        )
        return stem if number == 0 else f"{stem}_{number + 1}"


def _as_json(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, (list, tuple)):
        return [_as_json(item) for item in value]
    if isinstance(value, dict):
        return {name: _as_json(item) for name, item in value.items()}
    return value
