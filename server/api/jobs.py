"""Jobs: graphs that are to be run, run, or were run."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, with_config
from typing_extensions import TypedDict

from engine.workflow import Workflow
from server.access import Principal
from server.jobs.model import FINAL, Filter, Job, JobState
from server.jobs.order import Beside
from server.service import Asked, NotAdmitted, Service

from .asking import Front, Graph, Priority, Webhook, read, webhook_text
from .operation import Answer, Json, Reply, operation
from .problems import ApiError, about
from .repeats import Repeat
from .saved import Shelf
from .views import ROOT, JobView, NodeView, show, show_node
from .waiting import Wait, ended

JobId = Annotated[str, Field(min_length=1, max_length=100)]
_JOB = Answer("The job.", JobView)
_ACCEPTED = Answer(
    "The job, queued; or ended, if that was waited for.",
    JobView,
    headers={"Location": "Where the job is from now on."},
)


class Submission(Graph):
    """A graph to be run."""

    priority: Priority = 0
    front: Front = False
    webhook: Webhook = None


class Submissions(BaseModel):
    """Several graphs to be run."""

    model_config = ConfigDict(extra="forbid")

    jobs: Annotated[list[Submission], Field(min_length=1, max_length=1_000)]


class Waiting(BaseModel):
    """Whether to wait for the end."""

    model_config = ConfigDict(extra="forbid")

    wait: Wait = 0


class Repetition(BaseModel):
    """What makes a repeated request known."""

    idempotency_key: Annotated[str, Field(pattern=r"^[!-~]{1,200}$")] | None = Field(
        default=None,
        alias="Idempotency-Key",
        description="Asked again with the same key and body, the first job is the answer.",
    )


class Wanted(BaseModel):
    """Which jobs to list."""

    model_config = ConfigDict(extra="forbid")

    state: tuple[JobState, ...] = Field(default=(), description="Only these; may be repeated.")
    name: str | None = Field(default=None, max_length=200, description="The workflow's title.")
    text: str | None = Field(
        default=None, max_length=200, description="Found in the title or the id."
    )
    since: AwareDatetime | None = Field(default=None, description="Created then or later.")
    until: AwareDatetime | None = Field(default=None, description="Created before.")
    queue: bool = Field(default=False, description="In the order in which they will run.")
    everybody: bool = Field(default=False, description="Those of all users; needs `admin`.")
    limit: int = Field(default=50, ge=1, le=500)
    after: str | None = Field(default=None, max_length=500, description="`next` of a page.")


@with_config(use_attribute_docstrings=True)
class JobPage(TypedDict):
    """Some of the jobs that were asked for."""

    jobs: list[JobView]
    total: int
    next: str | None
    """What to give as `after` for the next page; none if this is the last."""


@with_config(use_attribute_docstrings=True)
class JobList(TypedDict):
    """Jobs."""

    jobs: list[JobView]


@with_config(use_attribute_docstrings=True)
class NodeList(TypedDict):
    """What became of the nodes of a job."""

    nodes: list[NodeView]


class Which(BaseModel):
    """Jobs by their ids."""

    model_config = ConfigDict(extra="forbid")

    ids: Annotated[list[JobId], Field(min_length=1, max_length=1_000)]


@with_config(use_attribute_docstrings=True)
class Deleted(TypedDict):
    """What was deleted."""

    deleted: list[str]


class Place(BaseModel):
    """Where a queued job is to go."""

    model_config = ConfigDict(extra="forbid")

    to: Literal["front", "back"] | None = Field(
        default=None, description="Before or behind the others of its priority."
    )
    before: JobId | None = Field(default=None, description="Right before this queued job.")
    priority: Priority | None = None


@operation(
    "POST",
    "/api/v1/jobs",
    scope="run",
    answers={201: _ACCEPTED},
    problems=("idempotency_conflict", "not_found", "invalid_workflow", "disk_full"),
)
async def submit_job(
    *,
    service: Service,
    principal: Principal,
    shelf: Shelf,
    body: Submission,
    query: Waiting,
    headers: Repetition,
) -> Reply[Json]:
    """Queue a graph.

    The job is durable once this answers: it will run, whatever happens to the server.
    """
    (job,) = await accept(service, principal, shelf, [body], headers.idempotency_key)
    return accepted(await ended(service, job, query.wait))


@operation(
    "POST",
    "/api/v1/jobs/batch",
    scope="run",
    answers={201: Answer("The jobs, queued, in the order of the request.", JobList)},
    problems=("idempotency_conflict", "not_found", "invalid_workflow", "disk_full"),
)
async def submit_jobs(
    service: Service, principal: Principal, shelf: Shelf, body: Submissions, headers: Repetition
) -> Json:
    """Queue several graphs, all or none."""
    jobs = await accept(service, principal, shelf, body.jobs, headers.idempotency_key, batch=True)
    return {"jobs": [show(job) for job in jobs]}


@operation("GET", "/api/v1/jobs", scope="read", problems=("forbidden",))
async def list_jobs(service: Service, principal: Principal, query: Wanted) -> JobPage:
    """List jobs, the newest first, or in the order of the queue."""
    if query.everybody and "admin" not in principal.scopes:
        raise ApiError("forbidden", "the jobs of all users need the scope 'admin'")
    wanted = Filter(
        owner=None if query.everybody else principal.user,
        states=query.state,
        name=query.name,
        text=query.text,
        since=None if query.since is None else query.since.timestamp(),
        until=None if query.until is None else query.until.timestamp(),
        queue=query.queue,
    )
    page = await service.jobs.find(wanted, query.limit, query.after)
    places = await _places(service) if query.queue else {}
    shown: Any = [shown_job(service, job, places.get(job.id)) for job in page.jobs]
    return JobPage(jobs=shown, total=page.total, next=page.next)


@operation("POST", "/api/v1/jobs/delete", scope="run")
async def delete_jobs(service: Service, principal: Principal, body: Which) -> Deleted:
    """Forget jobs that have ended; those that have not, or are not yours, stay."""
    owner = None if "admin" in principal.scopes else principal.user
    gone = await service.jobs.delete(body.ids, owner)
    for job in gone:
        service.dispatcher.tell("job.deleted", job)
    return Deleted(deleted=[job.id for job in gone])


@operation("GET", "/api/v1/jobs/{job}", scope="read", answers={200: _JOB})
async def read_job(service: Service, principal: Principal, job: JobId, query: Waiting) -> Json:
    """Read a job, now or when it has ended."""
    found = await own_job(service, principal, job)
    found = await ended(service, found, query.wait)
    return shown_job(service, found, await _position(service, found))


@operation(
    "DELETE",
    "/api/v1/jobs/{job}",
    scope="run",
    answers={204: Answer("It is gone.")},
    problems=("conflict",),
)
async def delete_job(service: Service, principal: Principal, job: JobId) -> None:
    """Forget a job that has ended. What it delivered stays."""
    found = await own_job(service, principal, job)
    gone = await service.jobs.delete([found.id], found.owner)
    if not gone:
        raise ApiError("conflict", f"the job is {found.state}: cancel it first")
    service.dispatcher.tell("job.deleted", gone[0])


@operation("GET", "/api/v1/jobs/{job}/nodes", scope="read")
async def list_job_nodes(service: Service, principal: Principal, job: JobId) -> NodeList:
    """List what became of each node: seconds, bytes, whether it was stored."""
    found = await own_job(service, principal, job)
    records: Any = [show_node(record) for record in await service.jobs.nodes(found.id)]
    return NodeList(nodes=records)


@operation("GET", "/api/v1/jobs/{job}/document", scope="read")
async def read_job_document(service: Service, principal: Principal, job: JobId) -> Json:
    """Read the workflow as it was queued, with its values."""
    found = await own_job(service, principal, job)
    document = await service.jobs.document(found.id)
    if document is None:
        raise ApiError("not_found", f"the document of job {found.id} is not kept any more")
    return document


@operation(
    "POST", "/api/v1/jobs/{job}/cancel", scope="run", answers={200: _JOB}, problems=("conflict",)
)
async def cancel_job(service: Service, principal: Principal, job: JobId) -> Json:
    """Cancel a job.

    A queued job is cancelled at once, a running one when its node yields: the answer shows it
    running, and the event `job.cancelled` tells the end.
    """
    found = await own_job(service, principal, job)
    cancelled = await service.dispatcher.cancel(found.id)
    if cancelled is None:
        now = await own_job(service, principal, job)
        ended = "was cancelled" if now.state == "cancelled" else f"has {now.state}"
        raise ApiError("conflict", f"the job {ended}: there is nothing to cancel")
    return shown_job(service, cancelled)


@operation(
    "POST",
    "/api/v1/jobs/{job}/retry",
    scope="run",
    answers={201: _ACCEPTED},
    problems=("conflict",),
)
async def retry_job(service: Service, principal: Principal, job: JobId) -> Reply[Json]:
    """Queue a job that has ended once more, as a new job."""
    found = await own_job(service, principal, job)
    if found.state not in FINAL:
        raise ApiError("conflict", f"the job is {found.state}: it can be retried once it has ended")
    again = await service.jobs.retry(found.id)
    service.dispatcher.tell("job.queued", again)
    service.dispatcher.wake()
    return accepted(again)


@operation(
    "POST", "/api/v1/jobs/{job}/move", scope="run", answers={200: _JOB}, problems=("conflict",)
)
async def move_job(service: Service, principal: Principal, job: JobId, body: Place) -> Json:
    """Give a queued job another place, or priority, in the queue."""
    found = await own_job(service, principal, job)
    if body.before is not None and body.to is not None:
        raise ApiError("invalid_request", "give `to` or `before`, not both")
    if body.before is not None:
        await own_job(service, principal, body.before)
    to = body.to if body.before is None else Beside(body.before)
    moved = await service.jobs.move(found.id, to=to, priority=body.priority)
    if moved is None:
        raise ApiError("conflict", "only queued jobs can be moved, and only before queued ones")
    service.dispatcher.tell("job.moved", moved)
    service.dispatcher.wake()
    return shown_job(service, moved, await _position(service, moved))


async def accept(
    service: Service,
    principal: Principal,
    shelf: Shelf,
    submissions: list[Submission],
    key: str | None,
    *,
    batch: bool = False,
) -> list[Job]:
    """Take graphs into the queue, unless the same request did so before.

    Raises:
        ApiError: With what is wrong with the first graph that cannot be taken.
        IdempotencyConflict: Another request had the key.
    """
    repeat = Repeat.of_batch(key, submissions) if batch else Repeat.of_one(key, submissions[0])
    if repeat is not None and (before := await repeat.jobs(service, principal.user)):
        return before
    places = [f"/jobs/{n}" if batch else "" for n in range(len(submissions))]

    def reading() -> list[Workflow]:
        workflows = []
        for at, one in zip(places, submissions, strict=True):
            with about(at):
                workflows.append(one.read(shelf))
        return workflows

    workflows = await read(submissions, reading)
    asked = []
    for place, (one, workflow) in enumerate(zip(submissions, workflows, strict=True)):
        with about(f"{places[place]}/webhook"):
            webhook = webhook_text(one.webhook, service.settings.webhook_hosts)
        asked.append(
            Asked(
                workflow,
                priority=one.priority,
                front=one.front,
                idempotency_key=None if repeat is None else repeat.keys[place],
                fingerprint="" if repeat is None else repeat.fingerprint,
                webhook=webhook,
            )
        )
    try:
        return await service.accept(principal.user, asked)
    except NotAdmitted as error:
        with about(places[error.place]):
            raise submissions[error.place].told(error, workflows[error.place]) from error


def accepted(job: Job) -> Reply[Json]:
    """The answer for a new job."""
    return Reply(show(job), headers={"Location": f"{ROOT}/jobs/{job.id}"})


async def own_job(service: Service, principal: Principal, job_id: str) -> Job:
    """A job that the caller may see.

    Raises:
        ApiError: There is none; another user's is told alike.
    """
    job = await service.jobs.get(job_id)
    if job is None or (job.owner != principal.user and "admin" not in principal.scopes):
        hint = "GET /api/v1/jobs lists yours"
        raise ApiError("not_found", f"there is no job {job_id!r}", hint=hint)
    return job


def shown_job(service: Service, job: Job, position: int | None = None) -> Json:
    """The job, with how far it is."""
    return show(job, position, service.dispatcher.progress.get(job.id))


async def _position(service: Service, job: Job) -> int | None:
    """A queued job's place; none where the queue is so long that nobody counts."""
    return (await _places(service)).get(job.id) if job.state == "queued" else None


async def _places(service: Service) -> dict[str, int]:
    return {job.id: place for place, job in enumerate(await service.jobs.upcoming(1_000), 1)}
