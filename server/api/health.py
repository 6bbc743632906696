"""Whether the server is there."""

from typing import Literal

from pydantic import with_config
from typing_extensions import TypedDict

from server import __version__
from server.service import Service

from .operation import operation


@with_config(use_attribute_docstrings=True)
class Health(TypedDict):
    """How the server is."""

    status: Literal["ok", "starting", "stopping"]
    """`starting` until a worker is ready; jobs are accepted before."""
    version: str
    workers: int
    """Those that are ready."""


@operation("GET", "/api/v1/health", scope=None)
async def health(service: Service) -> Health:
    """Tell whether the server is there, and ready for work."""
    ready = sum(worker.state in {"idle", "busy"} for worker in service.pool.workers)
    status: Literal["ok", "starting", "stopping"] = "ok" if ready else "starting"
    if service.closing:
        status = "stopping"
    return Health(status=status, version=__version__, workers=ready)
