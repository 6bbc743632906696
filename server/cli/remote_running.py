"""Running a workflow on a server, with its progress here and Ctrl-C to cancel it there."""

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import Cancelled, GraphError
from engine.events import Event as Seen, NodeFinished, NodeProgressed, NodeStarted, Warned
from engine.workflow import Workflow
from server.client import ClientError, Event, Job, JobFailed, NodeRecord, Output
from server.failures import nodes_json

from .answer import Answer
from .awaiting import Awaiting
from .progress import watching
from .remote import Remote, faults
from .running import Interrupt, run_answer

CANCELLING = (
    b"\ncancelling the job, finished nodes are kept; Ctrl-C again to leave it to the server\n"
)


@dataclass(frozen=True)
class Ran:
    """What became of the nodes of a job, where a failure tells of it."""

    nodes: Mapping[str, NodeRecord]


def run(remote: Remote, workflow: Workflow, folder: Path) -> Answer:
    """Have the server compute the workflow's outputs, and put its files into a folder here.

    Raises:
        GraphError: The workflow has problems, or a node failed.
        Cancelled: Ctrl-C, or somebody else cancelled the job.
    """
    with Interrupt(CANCELLING) as interrupt:
        job = remote.client.run(workflow)
        _cancel_on(interrupt.cancel, job)
        with watching() as watch, Awaiting(remote.client, job.id) as awaiting:
            for event in job.events():
                awaiting.hear(event)
                seen = _seen(event)
                if seen is not None:
                    watch(seen)
        job.refresh()
        records = {record.node: record for record in job.nodes()}
        if job.state == "cancelled":
            stopped = Cancelled(
                f"job {job.id} was cancelled by Ctrl-C"
                if interrupt.cancel.is_set()
                else f"job {job.id} was cancelled, and not from here"
            )
            stopped.result = Ran(records)
            raise stopped
        if job.state == "failed":
            raise _failure(job, records)
        paths, values, grids = _saved(job.outputs, folder)
    answer: dict[str, Any] = {"outputs": paths, "nodes": nodes_json(records), "job": job.id}
    return run_answer(answer, records, paths, values, grids)


def _cancel_on(cancel: threading.Event, job: Job) -> None:
    """Cancel the job from another thread, since this one waits for its events."""

    def work() -> None:
        cancel.wait()
        with suppress(ClientError):  # it has ended; or the server is gone, as its events tell
            job.cancel()

    threading.Thread(target=work, name="cancel", daemon=True).start()


def _seen(event: Event) -> Seen | None:
    """An event of the server's as the engine tells it."""
    data = event.data
    if event.type == "node.started":
        return NodeStarted(data["node"], data["type"])
    if event.type == "node.progressed":
        return NodeProgressed(data["node"], data["type"], data["done"], data["total"])
    if event.type == "node.finished":
        return NodeFinished(data["node"], data["type"], data["state"], data["seconds"])
    if event.type == "warned":
        return Warned(data["message"], data.get("node"))
    if event.type == "job.requeued":
        return Warned("the server starts the job again; what was finished is kept")
    return None


def _failure(job: Job, records: Mapping[str, NodeRecord]) -> Exception:
    try:
        with faults(""):
            raise JobFailed(job.snapshot)
    except GraphError as error:
        error.result = Ran(records)  # type: ignore[attr-defined]
        return error


def _saved(
    outputs: Mapping[str, Output], folder: Path
) -> tuple[dict[str, list[str]], dict[str, Any], dict[str, Any]]:
    """The outputs as a run here sorts them: files by path, values, and cells of grids."""
    paths: dict[str, list[str]] = {}
    values: dict[str, Any] = {}
    grids: dict[str, Any] = {}
    for name, output in outputs.items():
        files = [str(path.absolute()) for path in output.save(folder)]
        if output.cells and files:
            paths[name] = files
            rest = iter(files)
            grids[name] = [
                {"labels": cell.labels, "files": [next(rest) for _ in cell.files]}
                for cell in output.cells
            ]
        elif output.cells:
            grids[name] = [{"labels": c.labels, "value": c.value} for c in output.cells]
        elif files:
            paths[name] = files
        else:
            values[name] = output.value
    return paths, values, grids
