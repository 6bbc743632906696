"""Whether the server is there."""

import asyncio
import time
from contextlib import suppress
from typing import Literal

from pydantic import with_config
from typing_extensions import TypedDict

from server import __version__
from server.database import Database
from server.database.faults import DatabaseFault
from server.database.remembered import remember
from server.places import Places
from server.service import Service

from .operation import operation


@with_config(use_attribute_docstrings=True)
class Health(TypedDict):
    """How the server is."""

    status: Literal["ok", "starting", "stopping", "degraded"]
    """`starting` until a worker is ready; jobs are accepted before. `degraded`: see `fault`."""
    fault: str | None
    """Why jobs wait: nothing can be written down (`database_full`), or why no worker can start."""
    version: str
    workers: int
    """Those that are ready."""


@operation("GET", "/api/v1/health", scope=None)
async def health(service: Service) -> Health:
    """Tell whether the server is there, and ready for work."""
    ready = sum(worker.state in {"idle", "busy"} for worker in service.pool.workers)
    status: Literal["ok", "starting", "stopping", "degraded"] = "ok" if ready else "starting"
    fault = None if service.closing else await _fault(service.database)
    if fault is None and not service.closing:
        fault = Places(service.settings.data).hidden(service.pool.fault)
    if fault is not None:
        status = "degraded"
    if service.closing:
        status = "stopping"
    return Health(status=status, version=__version__, workers=ready, fault=fault)


async def _fault(database: Database) -> str | None:
    """Why the database takes nothing; after a fault it is asked again, as others may not be."""
    if database.fault is not None:
        with suppress(DatabaseFault, TimeoutError):
            async with asyncio.timeout(1):
                await database.write(lambda connection: remember(connection, "room", time.time()))
    return None if database.fault is None else database.fault.code
