"""Jobs as rows of their table."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select

from server.database.tables import jobs
from server.jobs.model import Job, NodeRecord

COLUMNS = (
    jobs.c.id,
    jobs.c.number,
    jobs.c.owner,
    jobs.c.name,
    jobs.c.state,
    (-jobs.c.precedence).label("priority"),
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
# Statements are put together once: SQLAlchemy takes longer for that than SQLite for running them.
JOBS = select(*COLUMNS)
BY_ID = JOBS.where(jobs.c.id == bindparam("of"))


def job_of(row: Any) -> Job:
    """The job in a row of `COLUMNS`."""
    *fields, wants, retry_of = row
    return Job(*(*fields, tuple(wants), retry_of))


def job_by_id(connection: Connection, id: str) -> Job | None:
    """A job; None if there is none of that id."""
    row = connection.execute(BY_ID, {"of": id}).first()
    return None if row is None else job_of(row)


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
