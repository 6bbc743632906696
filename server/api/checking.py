"""What a graph would do, without running it."""

from typing import Any, NotRequired

from pydantic import Field, with_config
from typing_extensions import TypedDict, override

from engine.errors import GraphError
from engine.workflow import Workflow
from server.access import Principal
from server.admission import check_size
from server.service import Service

from .asking import Document, Graph, read
from .desk import ask, where
from .operation import Json, operation
from .problems import Fault
from .saved import Shelf


class Explained(Graph):
    """A graph whose nodes are to be explained."""

    node: str | None = Field(default=None, max_length=200, description="Only this node.")
    changed: Document | None = Field(
        default=None, description="The workflow after an edit, to see what that invalidates."
    )

    @property
    @override
    def given(self) -> object:
        """All that the request says of both graphs."""
        return [super().given, self.changed]


@with_config(use_attribute_docstrings=True)
class Verdict(TypedDict):
    """Every problem of a workflow."""

    valid: bool
    problems: list[Fault]
    warnings: list[Fault]
    """What is wrong with nodes that no output depends on; the rest runs without them."""


@with_config(use_attribute_docstrings=True)
class PlannedView(TypedDict):
    """What a run would do about a node."""

    type: str
    state: str
    """`stored` or `run`."""
    why: str
    seconds: float | None
    bytes: int | None
    peak: int | None
    created: float | None
    run: str
    nearest: NotRequired[Json]
    changes: NotRequired[list[Json]]


@with_config(use_attribute_docstrings=True)
class TotalView(TypedDict):
    """A plan summed up."""

    nodes: int
    run: int
    unknown: int
    """Those of `run` of which nobody knows how long they take."""
    seconds: float


@with_config(use_attribute_docstrings=True)
class PlanView(TypedDict):
    """What a run would do."""

    nodes: dict[str, PlannedView]
    seconds: float
    """How long it would take, as far as that is known."""
    total: TotalView
    warnings: list[Fault]
    """What is wrong with nodes that no output depends on; the rest runs without them."""


@with_config(use_attribute_docstrings=True)
class ExplainedView(TypedDict):
    """Why nodes are stored or will run; and what an edit changes, if one was given."""

    nodes: dict[str, PlannedView]
    total: TotalView
    seconds: NotRequired[float]
    changed: NotRequired[list[str]]
    run: NotRequired[list[str]]
    gone: NotRequired[list[str]]


@operation("POST", "/api/v1/validate", scope="read", problems=("not_found", "worker_lost"))
async def validate(service: Service, principal: Principal, shelf: Shelf, body: Graph) -> Verdict:
    """Find every problem of a graph; finding some is an answer, not an error."""
    try:
        document = await read([body], lambda: _sized(service, body.read(shelf)))
    except GraphError as error:
        found = [Fault.of(problem) for problem in error.problems]
        return Verdict(valid=False, problems=found, warnings=[])
    inputs = where(service, principal)["inputs"]
    told = (await ask(service, "check", document=document, inputs=inputs)).value
    problems, warnings = told["problems"], told["warnings"]
    return Verdict(valid=not problems, problems=problems, warnings=warnings)


@operation(
    "POST", "/api/v1/plan", scope="read", problems=("not_found", "invalid_workflow", "worker_lost")
)
async def plan(service: Service, principal: Principal, shelf: Shelf, body: Graph) -> PlanView:
    """Tell for each node whether its result is stored, or it would run, and why."""
    document = await read([body], lambda: _sized(service, body.read(shelf)))
    told: Any = await ask(service, "plan", document=document, **where(service, principal))
    view: PlanView = told.value
    return view


@operation(
    "POST",
    "/api/v1/explain",
    scope="read",
    problems=("not_found", "invalid_workflow", "worker_lost"),
)
async def explain(
    service: Service, principal: Principal, shelf: Shelf, body: Explained
) -> ExplainedView:
    """Tell what has changed since each node's nearest result; or what an edit would invalidate."""

    def documents() -> tuple[Json, Json | None]:
        changed = None if body.changed is None else Workflow.from_json(body.changed)
        document = _sized(service, body.read(shelf))
        return document, None if changed is None else _sized(service, changed)

    document, changed = await read([body], documents)
    told: Any = await ask(
        service,
        "explain",
        document=document,
        node=body.node,
        changed=changed,
        **where(service, principal),
    )
    view: ExplainedView = told.value
    return view


def _sized(service: Service, workflow: Workflow) -> Json:
    """The document, if it is not so large that all others would wait for its answer.

    Raises:
        GraphError: It is.
    """
    check_size(workflow, service.limits)
    return workflow.to_json()
