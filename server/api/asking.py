"""A graph that a request asks about: a document, or a saved workflow, with its values."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field, model_validator

from engine.errors import GraphError
from engine.workflow import Workflow
from server.plain import is_small

from .filling import Axes, Inputs, filled, pointed
from .operation import Json
from .outgoing import check_target
from .problems import ApiError, about
from .saved import Shelf

T = TypeVar("T")
Priority = Annotated[int, Field(ge=-1000, le=1000, description="Higher runs earlier.")]
Front = Annotated[bool, Field(description="Whether it goes before the others of its priority.")]
Webhook = Annotated[
    AnyHttpUrl | None,
    Field(description="An address that is told how the job ended, by a signed POST."),
]
Document = Annotated[
    Json,
    Field(
        description="A workflow, as its file holds it.",
        json_schema_extra={"required": ["darkroom"], "properties": {"darkroom": {"const": 1}}},
    ),
]
WorkflowName = Annotated[
    str, Field(min_length=1, max_length=100, description="The name of a saved workflow.")
]


class Graph(BaseModel):
    """A document, or the name of a saved workflow, with values for its inputs."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"oneOf": [{"required": ["document"]}, {"required": ["workflow"]}]},
    )

    document: Document = Field(default_factory=dict)
    workflow: WorkflowName = ""
    inputs: Inputs
    axes: Axes

    @model_validator(mode="after")
    def _one_of_both(self) -> "Graph":
        if ("document" in self.model_fields_set) == ("workflow" in self.model_fields_set):
            raise ValueError("give either a document or the name of a saved workflow")
        return self

    @property
    def given(self) -> object:
        """All that the request says of the graph."""
        return [self.document, self.inputs, self.axes]

    def read(self, shelf: Shelf) -> Workflow:
        """The workflow with its values set.

        Raises:
            GraphError: The document is no workflow.
            ApiError: There is no such workflow, or it has no such inputs.
        """
        if "document" in self.model_fields_set:
            workflow = Workflow.from_json(self.document)
        else:
            with about("/workflow"):
                saved = shelf.read(self.workflow)
            workflow = saved.workflow
        return filled(workflow, self.inputs, self.axes)

    def told(self, error: GraphError, workflow: Workflow) -> ApiError:
        """The problems, pointing at the values that this request gave."""
        return pointed(error, workflow, self.inputs, self.axes)


async def read(graphs: Sequence[Graph], reading: Callable[[], T]) -> T:
    """What is read of graphs: at once if there is little, else beside the other requests."""
    named = any("workflow" in graph.model_fields_set for graph in graphs)
    if not named and is_small([graph.given for graph in graphs]):
        return reading()
    return await asyncio.to_thread(reading)


def webhook_text(webhook: Any, hosts: Sequence[str]) -> str | None:
    """An address as it is kept.

    Raises:
        InputError: Nothing may be sent there.
    """
    if webhook is None:
        return None
    return check_target(str(webhook), hosts)
