"""Jobs as rows of their table."""

from collections.abc import Sequence
from typing import Any

from server.database.tables import jobs
from server.jobs.model import Job, NodeRecord

COLUMNS = (
    jobs.c.id,
    jobs.c.number,
    jobs.c.owner,
    jobs.c.name,
    jobs.c.state,
    jobs.c.priority,
    jobs.c.rank,
    jobs.c.created,
    jobs.c.started,
    jobs.c.finished,
    jobs.c.attempt,
    jobs.c.worker,
    jobs.c.outputs,
    jobs.c.error,
    jobs.c.webhook,
    jobs.c.wants,
    jobs.c.retry_of,
)
"""In the order of the fields of `Job`."""


def job_of(row: Sequence[Any]) -> Job:
    """The job in a row of `COLUMNS`."""
    values = dict(zip(Job.__dataclass_fields__, row, strict=True))
    return Job(**values | {"wants": tuple(values["wants"])})


def node_values(number: int, nodes: Sequence[NodeRecord]) -> list[dict[str, Any]]:
    """The rows for what became of a job's nodes."""
    return [
        {
            "job": number,
            "position": position,
            "node": record.node,
            "type": record.type,
            "state": record.state,
            "seconds": record.seconds,
            "bytes": record.bytes,
        }
        for position, record in enumerate(nodes)
    ]
