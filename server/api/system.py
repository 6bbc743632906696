"""The server itself, and its workers."""

import platform
import shutil
import time
from typing import Annotated

from pydantic import Field, with_config
from typing_extensions import TypedDict

from server import __version__
from server.access import Principal
from server.service import Service
from server.workers.spec import WorkerView as Worker

from .operation import Answer, Json, operation
from .problems import ApiError

WorkerId = Annotated[str, Field(min_length=1, max_length=200)]
_BEGAN = time.monotonic()


@with_config(use_attribute_docstrings=True)
class WorkerView(TypedDict):
    """A process, or a cluster's actor, that runs jobs."""

    id: str
    device: str
    machine: str
    state: str
    """`starting`, `idle`, `busy` or `lost`."""
    pid: int | None
    rss: int
    """Bytes of memory."""
    warm: list[str]
    """The files whose weights are loaded."""
    memory: Json
    """Of the device: bytes free and in all."""
    run: str | None
    """The job that it runs, a dot and the attempt; none if that is another user's, unless you are an administrator."""
    restarts: int
    reason: str
    """Why it is lost, or was the last time; only administrators are told."""


@with_config(use_attribute_docstrings=True)
class WorkerList(TypedDict):
    """The workers."""

    workers: list[WorkerView]


@with_config(use_attribute_docstrings=True)
class SystemView(TypedDict):
    """What the server runs on."""

    version: str
    python: str
    platform: str
    uptime: float
    """Seconds."""
    nodes: str
    """The node package."""
    catalogue: str | None
    """Digest of the node types."""
    disk_free: int
    """Bytes free where the data lies."""
    paused: bool
    workers: list[WorkerView]


@operation("GET", "/api/v1/system", scope="read")
async def read_system(service: Service, principal: Principal) -> SystemView:
    """Tell what the server is and runs on."""
    data = service.settings.data
    return SystemView(
        version=__version__,
        python=platform.python_version(),
        platform=platform.platform(),
        uptime=round(time.monotonic() - _BEGAN, 3),
        nodes=service.settings.nodes,
        catalogue=None if service.catalogue is None else service.catalogue.digest,
        disk_free=shutil.disk_usage(data if data.is_dir() else data.parent).free,
        paused=service.dispatcher.paused,
        workers=await _shown(service, principal),
    )


@operation("GET", "/api/v1/workers", scope="read")
async def list_workers(service: Service, principal: Principal) -> WorkerList:
    """List the workers: what each does, and what it has loaded."""
    return WorkerList(workers=await _shown(service, principal))


@operation(
    "POST",
    "/api/v1/workers/{worker}/restart",
    scope="admin",
    answers={202: Answer("It is being replaced.")},
)
async def restart_worker(service: Service, worker: WorkerId) -> None:
    """Replace a worker by a new one, once the job that it runs has ended."""
    keeper = service.pool.keepers.get(worker)
    if keeper is None:
        raise ApiError("not_found", f"there is no worker {worker[:80]!r}")
    keeper.hasten()
    await keeper.replace()


async def _shown(service: Service, principal: Principal) -> list[WorkerView]:
    """The workers, without what only others or administrators may know."""
    shown = [show_worker(worker) for worker in service.pool.workers]
    if "admin" in principal.scopes:
        return shown
    for worker in shown:
        job = await service.jobs.get((worker["run"] or "").rpartition(".")[0])
        if job is None or job.owner != principal.user:
            worker["run"] = None
        worker["reason"] = ""
    return shown


def show_worker(worker: Worker) -> WorkerView:
    """A worker as JSON."""
    return WorkerView(
        id=worker.id,
        device=worker.device,
        machine=worker.machine,
        state=worker.state,
        pid=worker.pid,
        rss=worker.rss,
        warm=list(worker.warm),
        memory=dict(worker.memory),
        run=worker.run,
        restarts=worker.restarts,
        reason=worker.reason,
    )
