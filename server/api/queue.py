"""The queue as a whole."""

from pydantic import BaseModel, ConfigDict, Field, with_config
from typing_extensions import TypedDict

from server.access import Principal
from server.jobs.model import Job
from server.service import Service

from .operation import operation
from .problems import ApiError


@with_config(use_attribute_docstrings=True)
class QueueView(TypedDict):
    """How the queue is."""

    paused: bool
    queued: int
    """Your jobs; those of everybody, where `everybody` is true."""
    running: int
    succeeded: int
    failed: int
    cancelled: int


class Whose(BaseModel):
    """Whose jobs to count."""

    model_config = ConfigDict(extra="forbid")

    everybody: bool = Field(default=False, description="Those of all users; needs `admin`.")


class Sweep(BaseModel):
    """What to cancel."""

    model_config = ConfigDict(extra="forbid")

    running: bool = Field(default=True, description="Whether those that run are cancelled too.")


@with_config(use_attribute_docstrings=True)
class Cancelled(TypedDict):
    """What was cancelled."""

    queued: int
    running: int
    """Running jobs that were told to stop."""


@operation("GET", "/api/v1/queue", scope="read", problems=("forbidden",))
async def read_queue(service: Service, principal: Principal, query: Whose) -> QueueView:
    """Count the jobs by their states, and tell whether the queue is paused."""
    if query.everybody and "admin" not in principal.scopes:
        raise ApiError("forbidden", "the jobs of all users need the scope 'admin'")
    return await _view(service, None if query.everybody else principal.user)


@operation("POST", "/api/v1/queue/pause", scope="admin")
async def pause_queue(service: Service) -> QueueView:
    """Start no more jobs until the queue is resumed; those that run are not touched."""
    await service.dispatcher.pause(True)
    return await _view(service, None)


@operation("POST", "/api/v1/queue/resume", scope="admin")
async def resume_queue(service: Service) -> QueueView:
    """Start jobs again."""
    await service.dispatcher.pause(False)
    return await _view(service, None)


@operation("POST", "/api/v1/queue/cancel", scope="run")
async def cancel_jobs(service: Service, principal: Principal, query: Sweep) -> Cancelled:
    """Cancel all of your jobs that have not ended."""
    gone: list[Job] = await service.jobs.cancel_all(principal.user)
    for job in gone:
        service.dispatcher.tell("job.cancelled", job)
    stopped = 0
    if query.running:
        mine = [
            r.job.id for r in service.dispatcher.running.values() if r.job.owner == principal.user
        ]
        for job_id in mine:
            stopped += await service.dispatcher.cancel(job_id) is not None
    return Cancelled(queued=len(gone), running=stopped)


async def _view(service: Service, owner: str | None) -> QueueView:
    counts = await service.jobs.counts(owner)
    return QueueView(
        paused=service.dispatcher.paused,
        queued=counts.get("queued", 0),
        running=counts.get("running", 0),
        succeeded=counts.get("succeeded", 0),
        failed=counts.get("failed", 0),
        cancelled=counts.get("cancelled", 0),
    )
