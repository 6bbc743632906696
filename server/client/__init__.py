"""A server of Darkroom's, from Python: `Client` for scripts, `AsyncClient` for event loops."""

from .asynchronous import AsyncClient
from .errors import ApiError, ClientError, ConnectionFailed, JobCancelled, JobFailed
from .handles import Job, Output
from .jobs import AsyncJob, AsyncOutput
from .models import (
    Cell,
    Event,
    Explanation,
    File,
    Health,
    NodeRecord,
    Plan,
    PlannedNode,
    Problem,
    Queue,
    Snapshot,
    Upload,
    WorkflowEntry,
)
from .orders import Order
from .synchronous import Client

__all__ = [
    "ApiError",
    "AsyncClient",
    "AsyncJob",
    "AsyncOutput",
    "Cell",
    "Client",
    "ClientError",
    "ConnectionFailed",
    "Event",
    "Explanation",
    "File",
    "Health",
    "Job",
    "JobCancelled",
    "JobFailed",
    "NodeRecord",
    "Order",
    "Output",
    "Plan",
    "PlannedNode",
    "Problem",
    "Queue",
    "Snapshot",
    "Upload",
    "WorkflowEntry",
]
