"""What jobs delivered: files and values."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, with_config
from typing_extensions import TypedDict

from server.access import Principal
from server.homes import home, within
from server.jobs.model import Job
from server.service import Service

from .desk import ask
from .files import is_known, safe_headers, send_file
from .incoming import THUMBNAILS
from .jobs import JobId, own_job
from .operation import Answer, Json, operation
from .problems import ApiError
from .views import ROOT, OutputView, files_of, show, show_file

FilePath = Annotated[
    str, Field(min_length=1, max_length=400, description="The file's path, as the job names it.")
]
_CHANGED = Answer("The file, or the part of it that `Range` asks for.", media=("*/*",))


class Size(BaseModel):
    """Whether a small picture will do."""

    model_config = ConfigDict(extra="forbid")

    thumbnail: Annotated[int, Field(ge=16, le=1024)] | None = Field(
        default=None, description="A picture instead that fits into a square of so many pixels."
    )


@with_config(use_attribute_docstrings=True)
class NamedFile(TypedDict):
    """A file, with the output it belongs to."""

    output: str
    path: str
    url: str
    media_type: str
    size: int
    digest: str


@with_config(use_attribute_docstrings=True)
class OutputList(TypedDict):
    """What a job gave."""

    outputs: dict[str, OutputView]
    files: list[NamedFile]
    """Every file of all outputs."""


@operation("GET", "/api/v1/jobs/{job}/outputs", scope="read")
async def list_outputs(service: Service, principal: Principal, job: JobId) -> OutputList:
    """List what a job gave."""
    found = await own_job(service, principal, job)
    at = f"{ROOT}/jobs/{found.id}"
    files: Any = [{"output": name, **show_file(file, at)} for name, file in files_of(found.outputs)]
    return OutputList(outputs=show(found)["outputs"], files=files)


@operation(
    "GET",
    "/api/v1/jobs/{job}/outputs/{path:.+}/metadata",
    scope="read",
    answers={200: Answer("What was embedded; empty if nothing was.", Json)},
    problems=("gone",),
)
async def read_output_metadata(
    service: Service, principal: Principal, job: JobId, path: FilePath
) -> Json:
    """Read what Darkroom embedded in a file: the workflow that made it, with what it was made of."""
    file, _ = await delivered(service, principal, job, path)
    told = (await ask(service, "metadata", path=str(file))).value
    return told if isinstance(told, dict) else {}


@operation(
    "GET",
    "/api/v1/jobs/{job}/outputs/{path:.+}",
    scope="read",
    answers={
        200: _CHANGED,
        206: Answer("The part of the file that was asked for.", media=("*/*",)),
        304: Answer("You have it already."),
    },
    problems=("gone", "range", "invalid_value", "worker_lost"),
)
async def read_output(
    *,
    service: Service,
    principal: Principal,
    request: web.Request,
    job: JobId,
    path: FilePath,
    query: Size,
) -> web.StreamResponse:
    """Read a file that a job delivered, or a thumbnail of it.

    Its ETag is the digest of its bytes, so that it can be kept for good.
    """
    file, known = await delivered(service, principal, job, path)
    if query.thumbnail is None:
        return await send_file(request, file, str(known["media_type"]), str(known["digest"]))
    return await thumbnail(service, request, file, str(known["digest"]), query.thumbnail)


async def thumbnail(
    service: Service, request: web.Request, file: Path, digest: str, size: int
) -> web.Response:
    """A small picture of a picture."""
    tag = f"{digest}-{size}"
    status = await asyncio.to_thread(file.stat)
    if is_known(request, tag, status.st_mtime):
        return web.Response(status=304, headers={"ETag": f'"{tag}"'})
    made = (await ask(service, "thumbnail", path=str(file), size=size)).blob
    media_type = THUMBNAILS.get(made[:3], "application/octet-stream")
    headers = safe_headers(media_type, file.name) | {"ETag": f'"{tag}"'}
    return web.Response(body=made, headers=headers)


async def delivered(
    service: Service, principal: Principal, job_id: str, path: str
) -> tuple[Path, Json]:
    """A file that the job lists, where it lies, and what is known of it.

    Raises:
        ApiError: The job does not list it, or it is not there any more.
    """
    job = await own_job(service, principal, job_id)
    for _, file in files_of(job.outputs):
        if file["path"] == path:
            return place_of(service, job, file), file
    raise ApiError("not_found", f"job {job.id} delivered no file {path[:200]!r}")


def place_of(service: Service, job: Job, file: Json) -> Path:
    """Where a delivered file lies.

    Raises:
        ApiError: It is not there any more, or has another size.
        InputError: It lies elsewhere.
    """
    own = home(service.settings.data, job.owner)
    place = within(own.previews if file.get("preview") else own.outputs, str(file["path"]))
    if not place.is_file():
        raise ApiError("gone", f"{file['path']} is not kept any more")
    if place.stat().st_size != file["size"]:
        raise ApiError("gone", f"{file['path']} was changed since the job delivered it")
    return place
