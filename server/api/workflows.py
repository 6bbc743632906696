"""Saved workflows, with their versions, and running them by their inputs."""

import asyncio
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, with_config
from typing_extensions import TypedDict

from engine.errors import GraphError
from engine.workflow import Workflow
from server.access import Principal
from server.service import Asked, Service

from .asking import Document, Front, Priority, Webhook, webhook_text
from .filling import Axes, Inputs, filled, misnamed, pointed
from .jobs import Repetition, Waiting, accepted
from .operation import Answer, Json, Reply, operation
from .problems import ApiError, Fault, about
from .repeats import Repeat
from .saved import Expected, Saved, Shelf
from .signatures import Signatures
from .views import JobView, iso
from .waiting import ended

Name = Annotated[
    str, Field(min_length=1, max_length=100, description="The file's name, without ending.")
]
_REVISION = {"ETag": "The revision, for If-Match and If-None-Match."}


@with_config(use_attribute_docstrings=True)
class WorkflowEntry(TypedDict):
    """A workflow in a list."""

    name: str
    title: str
    """What the workflow calls itself."""
    revision: str
    shipped: bool
    """Whether it comes with Darkroom; saving makes a copy of one's own."""
    inputs: list[str]
    outputs: list[str]
    fault: str | None
    """Why the file cannot be read as a workflow, if so."""


@with_config(use_attribute_docstrings=True)
class WorkflowList(TypedDict):
    """The workflows by name."""

    workflows: list[WorkflowEntry]


@with_config(use_attribute_docstrings=True)
class SignatureView(TypedDict):
    """What a workflow takes and gives."""

    name: str
    title: str
    inputs: Json
    """JSON Schema; the defaults are the values in the document."""
    outputs: Json
    definitions: Json


@with_config(use_attribute_docstrings=True)
class VersionView(TypedDict):
    """One version."""

    version: int
    revision: str
    saved: str
    size: int


@with_config(use_attribute_docstrings=True)
class VersionList(TypedDict):
    """Everything that was saved under a name, the latest first."""

    versions: list[VersionView]


class Revision(BaseModel):
    """Which revision is meant."""

    if_match: str | None = Field(
        default=None, alias="If-Match", description="The revision that is to be changed, or `*`."
    )
    if_none_match: str | None = Field(
        default=None,
        alias="If-None-Match",
        description="`*`: only if there is none. When reading: a revision that one has.",
    )


class RunRequest(BaseModel):
    """Values to run a workflow with."""

    model_config = ConfigDict(extra="forbid")

    inputs: Inputs
    axes: Axes
    priority: Priority = 0
    front: Front = False
    webhook: Webhook = None


@operation("GET", "/api/v1/workflows", scope="read")
async def list_workflows(shelf: Shelf) -> WorkflowList:
    """List your workflows, and those that come with Darkroom."""
    return WorkflowList(
        workflows=await asyncio.to_thread(lambda: [_entry(saved) for saved in shelf.all()])
    )


@operation(
    "GET",
    "/api/v1/workflows/{name}",
    scope="read",
    answers={
        200: Answer("The document.", Json, headers=_REVISION),
        304: Answer("You have it already.", headers=_REVISION),
    },
)
async def read_workflow(shelf: Shelf, name: Name, headers: Revision) -> Reply[Json | None]:
    """Read a workflow's document."""
    saved = await asyncio.to_thread(shelf.read, name)
    tag = {"ETag": f'"{saved.revision}"', "Cache-Control": "no-cache"}
    if saved.revision in revisions(headers.if_none_match):
        return Reply(None, 304, tag)
    return Reply(saved.workflow.to_json(), headers=tag)


@operation(
    "PUT",
    "/api/v1/workflows/{name}",
    scope="write",
    answers={
        200: Answer("Saved in the place of the last one.", WorkflowEntry, headers=_REVISION),
        201: Answer("Saved; it is new.", WorkflowEntry, headers=_REVISION),
    },
    problems=("precondition_failed", "precondition_required"),
)
async def save_workflow(
    shelf: Shelf, name: Name, body: Document, headers: Revision
) -> Reply[WorkflowEntry]:
    """Save a workflow.

    If there is one of this name, `If-Match` must give its revision, so that nobody's changes are
    lost unseen. Every version is kept.
    """
    workflow = Workflow.from_json(body)
    saved, new = await asyncio.to_thread(shelf.save, name, workflow, expected(headers))
    tag = {"ETag": f'"{saved.revision}"'}
    return Reply(_entry(saved), 201 if new else 200, tag)


@operation(
    "DELETE",
    "/api/v1/workflows/{name}",
    scope="write",
    answers={204: Answer("It is gone; its versions are kept.")},
    problems=("conflict", "precondition_failed", "precondition_required"),
)
async def delete_workflow(shelf: Shelf, name: Name, headers: Revision) -> None:
    """Delete a workflow of yours. `If-Match` gives the revision, or `*`."""
    await asyncio.to_thread(shelf.delete, name, expected(headers))


@operation("GET", "/api/v1/workflows/{name}/versions", scope="read")
async def list_versions(shelf: Shelf, name: Name) -> VersionList:
    """List what was saved under a name, also of a workflow that was deleted."""
    versions: Any = [
        {
            "version": each.number,
            "revision": each.revision,
            "saved": iso(each.saved),
            "size": each.size,
        }
        for each in await asyncio.to_thread(shelf.history, name)
    ]
    return VersionList(versions=versions)


@operation("GET", "/api/v1/workflows/{name}/versions/{version}", scope="read")
async def read_version(
    shelf: Shelf, name: Name, version: Annotated[int, Field(ge=1, le=10**9)]
) -> Json:
    """Read the document of one version."""
    saved = await asyncio.to_thread(shelf.version, name, version)
    return saved.workflow.to_json()


@operation("GET", "/api/v1/workflows/{name}/signature", scope="read")
async def read_signature(service: Service, shelf: Shelf, name: Name) -> SignatureView:
    """Read what a workflow takes and gives, as JSON Schema."""
    saved = await asyncio.to_thread(shelf.read, name)
    signatures = Signatures((await service.types()).by_name)
    workflow = saved.workflow
    return SignatureView(
        name=name,
        title=workflow.name or name,
        inputs=signatures.inputs(workflow),
        outputs=signatures.outputs(workflow),
        definitions=signatures.components,
    )


@operation(
    "POST",
    "/api/v1/workflows/{name}/run",
    scope="run",
    answers={
        201: Answer(
            "The job, queued; or ended, if that was waited for.",
            JobView,
            headers={"Location": "Where the job is from now on."},
        )
    },
    problems=("idempotency_conflict", "invalid_workflow", "disk_full"),
)
async def run_workflow(
    *,
    service: Service,
    principal: Principal,
    shelf: Shelf,
    name: Name,
    body: RunRequest,
    query: Waiting,
    headers: Repetition,
) -> Reply[Json]:
    """Run a saved workflow with values for its inputs.

    The document of a caller lists the same as an operation of its own for each workflow, with the
    types, ranges and defaults of its inputs. Any other input of a node is `node.input`.
    """
    repeat = Repeat.of_one(headers.idempotency_key, body, name)
    if repeat is not None and (before := await repeat.jobs(service, principal.user)):
        return accepted(await ended(service, before[0], query.wait))
    workflow = (await asyncio.to_thread(shelf.read, name)).workflow
    if faults := misnamed(workflow, [*body.inputs, *body.axes]):
        raise await _with_others(service, workflow, body, faults)
    with about("/webhook"):
        webhook = webhook_text(body.webhook, service.settings.webhook_hosts)
    asked = Asked(
        filled(workflow, body.inputs, body.axes),
        priority=body.priority,
        front=body.front,
        idempotency_key=headers.idempotency_key,
        fingerprint="" if repeat is None else repeat.fingerprint,
        webhook=webhook,
    )
    try:
        (job,) = await service.accept(principal.user, [asked])
    except GraphError as error:
        raise pointed(error, workflow, body.inputs, body.axes) from error
    return accepted(await ended(service, job, query.wait))


def revisions(header: str | None) -> tuple[str, ...]:
    """The revisions in a header such as If-Match."""
    parts = (part.strip().removeprefix("W/").strip('"') for part in (header or "").split(","))
    return tuple(part for part in parts if part)


def expected(headers: Revision) -> Expected:
    """What the headers say of the revision that is to be changed."""
    return Expected(revisions(headers.if_match), new=headers.if_none_match == "*")


async def _with_others(
    service: Service, workflow: Workflow, body: RunRequest, faults: list[Fault]
) -> ApiError:
    """The error for inputs that the workflow does not have, and for whatever else is wrong."""
    wrong = {fault.input for fault in faults}
    inputs = {name: value for name, value in body.inputs.items() if name not in wrong}
    axes = {name: axis for name, axis in body.axes.items() if name not in wrong}
    try:
        await service.check(filled(workflow, inputs, axes))
    except GraphError as error:
        faults = faults + pointed(error, workflow, inputs, axes).document.problems
    except ApiError as error:
        faults = faults + error.document.problems
    detail = "; ".join(fault.message for fault in faults[:5])
    return ApiError("invalid_request", detail, faults=faults)


def _entry(saved: Saved) -> WorkflowEntry:
    entry = WorkflowEntry(
        name=saved.name,
        title=saved.name,
        revision=saved.revision,
        shipped=saved.shipped,
        inputs=[],
        outputs=[],
        fault=None,
    )
    try:
        workflow = saved.workflow
    except GraphError as error:
        entry["fault"] = str(error)
        return entry
    entry["title"] = workflow.name or saved.name
    entry["inputs"], entry["outputs"] = list(workflow.inputs), list(workflow.outputs)
    return entry
