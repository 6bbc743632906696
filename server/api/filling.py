"""A workflow with its values set, as a request gives them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from engine.errors import GraphError, Problem
from engine.workflow import Workflow

from .operation import Json
from .problems import ApiError, Fault

AXES_EXAMPLE = {"seed": {"from": 0, "to": 7}, "guidance_scale": [4.0, 7.5]}
Inputs = Annotated[
    dict[str, Any],
    Field(
        default_factory=dict,
        description="Values by the names of the workflow's inputs, or by `node.input`.",
        examples=[{"prompt": "a red house at night", "seed": 7}],
    ),
]


class Span(BaseModel):
    """Numbers from one to another, both included."""

    model_config = ConfigDict(extra="forbid")

    start: float | int = Field(alias="from")
    end: float | int = Field(alias="to")
    step: float | int = 1


def _axis(value: object, check: ValidatorFunctionWrapHandler) -> Any:
    try:
        return check(value)
    except ValidationError:
        text = "give a list of values, or numbers as {from, to, step}"
        raise ValueError(text) from None


Axes = Annotated[
    dict[str, Annotated[list[Any] | Span, WrapValidator(_axis)]],
    Field(
        default_factory=dict,
        description="Inputs to sweep: every value is combined with those of the other axes.",
        examples=[AXES_EXAMPLE],
    ),
]


def filled(
    workflow: Workflow, inputs: Mapping[str, Any], axes: Mapping[str, Sequence[Any] | Span]
) -> Workflow:
    """The workflow with its inputs set and its axes laid.

    Raises:
        ApiError: With every name that the workflow does not have, and every broken value.
    """
    given: Json = dict(inputs)
    faults = [
        Fault(
            code="given_twice",
            message=f"{name} is an input and an axis: give it once",
            input=name,
            pointer=_pointer("axes", name),
        )
        for name in axes
        if name in inputs
    ]
    given |= {name: {"$axis": _values(axis)} for name, axis in axes.items()}
    for name, value in given.items():
        part = "axes" if name in axes else "inputs"
        try:
            workflow = _with_input(workflow, name, value)
        except GraphError as error:
            faults += [
                Fault.of(problem).model_copy(update={"pointer": _pointer(part, name)})
                for problem in error.problems
            ]
    if faults:
        detail = "; ".join(fault.message for fault in faults[:5])
        raise ApiError("invalid_request", detail, faults=faults)
    return workflow


def misnamed(workflow: Workflow, names: Sequence[str]) -> list[Fault]:
    """A fault for each name that is none of the workflow's inputs, nor `node.input`."""
    known = ", ".join(workflow.inputs) or "none"
    return [
        Fault(
            code="unknown_input",
            message=f"the workflow has no input {name[:80]!r}; it has {known}",
            input=name[:80],
            hint=next(iter(get_close_matches(name, workflow.inputs, 1)), None),
        )
        for name in names
        if name not in workflow.inputs and name.rpartition(".")[0] not in workflow.nodes
    ]


def pointed(
    error: GraphError, workflow: Workflow, inputs: Mapping[str, Any], axes: Mapping[str, Any]
) -> ApiError:
    """The problems of a graph; those of inputs and axes that the request gave point there."""
    places = {
        end: _pointer(part, name)
        for part, given in (("inputs", inputs), ("axes", axes))
        for name in given
        for end in _ends(workflow, name)
    }
    faults = []
    for problem in error.problems:
        pointer = places.get((problem.node or "", problem.input or ""))
        faults.append(Fault.of(problem).model_copy(update={"pointer": pointer}))
    return ApiError("invalid_workflow", str(error), faults=faults)


def _ends(workflow: Workflow, name: str) -> Iterator[tuple[str, str]]:
    """The inputs of nodes, as node and input, that a name stands for."""
    first = workflow.inputs.get(name)
    if first is None:
        node, _, input_name = name.rpartition(".")
        yield node, input_name
    else:
        yield from ((end.node, end.name) for end in (first, *first.also))


def _with_input(workflow: Workflow, name: str, value: object) -> Workflow:
    endpoint = workflow.inputs.get(name)
    if endpoint is not None:
        missing = [e.node for e in (endpoint, *endpoint.also) if e.node not in workflow.nodes]
        if missing:
            message = f"input {name!r} leads to the node {missing[0]!r}, which is not there"
            raise GraphError([Problem("unknown_endpoint", message, None, name)])
    return replace(workflow.with_input(name, value), folder=workflow.folder)


def _values(axis: Sequence[Any] | Span) -> Any:
    if isinstance(axis, Span):
        return {"$range": {"from": axis.start, "to": axis.end, "step": axis.step}}
    return list(axis)


def _pointer(part: str, name: str) -> str:
    return f"/{part}/{name.replace('~', '~0').replace('/', '~1')}"
