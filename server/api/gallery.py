"""The files of all jobs: to look through, to mark, to delete."""

import asyncio
from collections.abc import Sequence
from typing import Any, NotRequired

from pydantic import BaseModel, ConfigDict, Field, with_config
from typing_extensions import TypedDict

from engine.errors import InputError
from server.access import Principal
from server.jobs.model import Filter, Job
from server.jobs.stars import Star, mark, starred
from server.service import Service

from .jobs import JobId, own_job
from .operation import Answer, Json, operation
from .outputs import FilePath, delivered, place_of
from .problems import ApiError
from .views import ROOT, iso, show_file

_PAGE = 50
"""Jobs that are looked through at once."""


class Shown(BaseModel):
    """Which files to list."""

    model_config = ConfigDict(extra="forbid")

    starred: bool = Field(default=False, description="Only those with a star.")
    name: str | None = Field(default=None, max_length=200, description="The workflow's title.")
    text: str | None = Field(
        default=None, max_length=200, description="Found in the workflow's title or the job's id."
    )
    limit: int = Field(
        default=50, ge=1, le=500, description="About so many: a job's files stay together."
    )
    after: str | None = Field(default=None, max_length=500, description="`next` of a page.")


@with_config(use_attribute_docstrings=True)
class GalleryFile(TypedDict):
    """A file that a job delivered, and that is still there."""

    job: str
    name: str
    """The workflow's."""
    output: str
    labels: NotRequired[Any]
    """For a file of a sweep, the values that gave it."""
    made: str | None
    """When the job ended."""
    starred: bool
    preview: bool
    """Whether it was only to be looked at, and lies apart from the outputs."""
    path: str
    url: str
    media_type: str
    size: int
    digest: str


@with_config(use_attribute_docstrings=True)
class GalleryPage(TypedDict):
    """Some of the files, those of the newest jobs first."""

    files: list[GalleryFile]
    next: str | None
    """What to give as `after` for the next page; none if this is the last."""


class Marking(BaseModel):
    """What is to be noted of a file."""

    model_config = ConfigDict(extra="forbid")

    starred: bool = Field(description="Whether it has a star.")


@operation("GET", "/api/v1/gallery", scope="read")
async def list_gallery(service: Service, principal: Principal, query: Shown) -> GalleryPage:
    """List the files of all your jobs that are still there, the newest first."""
    wanted = Filter(
        owner=principal.user,
        states=("succeeded", "failed", "cancelled"),
        name=query.name,
        text=query.text,
        starred=query.starred,
    )
    files: list[GalleryFile] = []
    after = query.after
    while True:
        most = min(_PAGE, query.limit - len(files))
        page = await service.jobs.find(wanted, most, after)
        found = await _files(service, page.jobs)
        files += [file for file in found if file["starred"] or not query.starred]
        after = page.next
        if after is None or len(files) >= query.limit:
            return GalleryPage(files=files, next=after)


@operation(
    "PATCH",
    "/api/v1/jobs/{job}/outputs/{path:.+}",
    scope="write",
    answers={204: Answer("It is noted.")},
    problems=("gone",),
)
async def mark_output(
    service: Service, principal: Principal, job: JobId, path: FilePath, body: Marking
) -> None:
    """Give a file a star, or take it away."""
    await delivered(service, principal, job, path)
    found = await own_job(service, principal, job)
    await service.database.write(lambda c: mark(c, found.number, path, starred=body.starred))
    _tell(service, found)


@operation(
    "DELETE",
    "/api/v1/jobs/{job}/outputs/{path:.+}",
    scope="write",
    answers={204: Answer("It is gone.")},
    problems=("gone",),
)
async def delete_output(service: Service, principal: Principal, job: JobId, path: FilePath) -> None:
    """Delete a file that a job delivered. The job is still known, and can be run again."""
    place, _ = await delivered(service, principal, job, path)
    found = await own_job(service, principal, job)
    try:
        await asyncio.to_thread(place.unlink, missing_ok=True)
    except OSError as error:
        raise ApiError("forbidden", f"{path[:200]} cannot be deleted: {error.strerror}") from error
    await service.database.write(lambda c: mark(c, found.number, path, starred=False))
    _tell(service, found)


def _tell(service: Service, job: Job) -> None:
    """Let the owner's other windows look again."""
    service.hub.publish("outputs.changed", owner=job.owner, job=job.id)


async def _files(service: Service, jobs: Sequence[Job]) -> list[GalleryFile]:
    numbers = [job.number for job in jobs]
    marked = await service.database.read(lambda connection: starred(connection, numbers))

    def listed() -> list[GalleryFile]:
        # Two outputs of a workflow may be the same node's: its files are listed once.
        found = {
            (job.number, str(file["path"])): _shown(job, output, part, file, marked)
            for job in jobs
            for output, told in job.outputs.items()
            for part in (told, *told.get("cells", ()))
            for file in part.get("files", ())
            if _is_there(service, job, file)
        }
        return list(found.values())

    return await asyncio.to_thread(listed)


def _shown(job: Job, output: str, part: Json, file: Json, marked: set[Star]) -> GalleryFile:
    plain = show_file(file, f"{ROOT}/jobs/{job.id}")
    shown: Any = {
        "job": job.id,
        "name": job.name,
        "output": output,
        "made": iso(job.finished),
        "starred": (job.number, str(file["path"])) in marked,
        "preview": bool(file.get("preview")),
        **{name: plain[name] for name in ("path", "url", "media_type", "size", "digest")},
    }
    if "labels" in part:
        shown["labels"] = part["labels"]
    told: GalleryFile = shown
    return told


def _is_there(service: Service, job: Job, file: Json) -> bool:
    try:
        place_of(service, job, file)
    except (ApiError, InputError):
        return False
    return True
