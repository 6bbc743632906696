"""A job as the API shows it, in answers and in events."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, NotRequired
from urllib.parse import quote

from pydantic import with_config
from typing_extensions import TypedDict

from server.jobs.model import FINAL, Job, JobState, NodeRecord

from .problems import BASE, KINDS

Json = dict[str, Any]
ROOT = "/api/v1"


@with_config(use_attribute_docstrings=True)
class FileView(TypedDict):
    """A file that a job delivered."""

    path: str
    """Its name under the job's outputs."""
    url: str
    media_type: str
    size: int
    digest: str
    """SHA-256 of its bytes."""


@with_config(use_attribute_docstrings=True)
class CellView(TypedDict):
    """What one combination of a sweep's values gave."""

    labels: Any
    files: NotRequired[list[FileView]]
    value: NotRequired[Any]


@with_config(use_attribute_docstrings=True)
class OutputView(TypedDict):
    """One output: files, or a value, or for a sweep one of these in each cell."""

    files: NotRequired[list[FileView]]
    value: NotRequired[Any]
    cells: NotRequired[list[CellView]]
    problem: NotRequired[Json]
    """Why there is no value: it is too large to be kept with the job."""


@with_config(use_attribute_docstrings=True)
class FailureView(TypedDict):
    """Why a job failed, as a problem document."""

    type: str
    """`worker_lost`, `invalid_workflow`, `node_failed` or another kind; the address explains it."""
    title: str
    status: int
    """The usual status of HTTP for such a problem."""
    detail: str
    code: str
    """More specific than the type, such as `worker_hung` or `out_of_memory`."""
    problems: list[Json]


@with_config(use_attribute_docstrings=True)
class ProgressView(TypedDict):
    """How far the node is that reported last."""

    node: str
    type: NotRequired[str]
    done: int
    total: int


@with_config(use_attribute_docstrings=True)
class LinksView(TypedDict):
    """Where more is to be had of the job."""

    self: str
    document: str
    nodes: str
    events: str
    outputs: str


@with_config(use_attribute_docstrings=True)
class JobView(TypedDict):
    """A job. Times are ISO 8601 in UTC."""

    id: str
    number: int
    """Counts the jobs in the order of their acceptance."""
    owner: str
    name: str
    state: JobState
    priority: int
    """Higher runs earlier."""
    position: int | None
    """The place of a queued job in the queue of all users, from 1.

    Told where the job is read or moved, and in lists with `queue=true`; none in the answer to a
    submission, in other lists and in events, and for jobs behind the first thousand.
    """
    created: str
    started: str | None
    finished: str | None
    seconds: float | None
    """From its start to its end, or to now."""
    attempt: int
    """How often it was started."""
    worker: str | None
    progress: ProgressView | None
    outputs: dict[str, OutputView]
    error: FailureView | None
    webhook: str | None
    retry_of: str | None
    links: LinksView


@with_config(use_attribute_docstrings=True)
class NodeView(TypedDict):
    """What became of one node of a job."""

    node: str
    type: str
    state: str
    """`ran`, `stored` (its result was there), `skipped` or `failed`."""
    seconds: float
    bytes: int


def show(job: Job, position: int | None = None, progress: Json | None = None) -> Json:
    """The job as JSON.

    Args:
        job: The job.
        position: Its place in the queue, from 1, if that is known.
        progress: The latest `node.progressed` of a running job.
    """
    at = f"{ROOT}/jobs/{quote(job.id, safe='')}"
    end = job.finished if job.state in FINAL else None
    return {
        "id": job.id,
        "number": job.number,
        "owner": job.owner,
        "name": job.name,
        "state": job.state,
        "priority": job.priority,
        "position": position,
        "created": iso(job.created),
        "started": iso(job.started),
        "finished": iso(job.finished),
        "seconds": None if job.started is None or end is None else round(end - job.started, 3),
        "attempt": job.attempt,
        "worker": job.worker,
        "progress": progress,
        "outputs": {name: _output(output, at) for name, output in job.outputs.items()},
        "error": None if job.error is None else failure(job.error),
        "webhook": job.webhook,
        "retry_of": job.retry_of,
        "links": {
            "self": at,
            "document": f"{at}/document",
            "nodes": f"{at}/nodes",
            "events": f"{at}/events",
            "outputs": f"{at}/outputs",
        },
    }


def show_node(record: NodeRecord) -> Json:
    """What became of a node, as JSON."""
    return asdict(record)


def iso(time: float | None) -> str | None:
    """A time as ISO 8601, in UTC and with milliseconds."""
    if time is None:
        return None
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def failure(error: Json) -> Json:
    """A job's error as a whole problem document."""
    problems = list(error.get("problems") or ())
    first = problems[0] if problems else {}
    named = error.get("kind")
    name = named if named in KINDS else "node_failed"
    return {
        "type": BASE + name,
        "title": KINDS[name].title,
        "status": KINDS[name].status,
        "detail": str(error.get("detail") or first.get("message") or ""),
        "code": str(error.get("code") or first.get("code") or "node_failed"),
        "problems": problems,
    }


def files_of(outputs: Json) -> Iterator[tuple[str, Json]]:
    """Every file among a job's outputs, with the output's name."""
    for name, output in outputs.items():
        for part in (output, *output.get("cells", ())):
            for file in part.get("files", ()):
                yield name, file


def _output(output: Json, at: str) -> Json:
    shown = dict(output)
    if "files" in shown:
        shown["files"] = [show_file(file, at) for file in shown["files"]]
    if "cells" in shown:
        shown["cells"] = [_output(cell, at) for cell in shown["cells"]]
    return shown


def show_file(file: Json, at: str) -> Json:
    """A file with its address under the job's."""
    return {**file, "url": f"{at}/outputs/{quote(str(file['path']))}"}
