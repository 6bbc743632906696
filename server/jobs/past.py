"""What is remembered of ended jobs, and letting it go."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, or_, select

from server.database.tables import events, jobs
from server.jobs.documents import drop_unused
from server.jobs.model import FINAL, Job
from server.jobs.rows import COLUMNS, job_of


@dataclass(frozen=True, slots=True)
class Retention:
    """How much of the past is kept. Jobs that wait or run are always kept."""

    days: float | None = None
    """How long after its end; None: without limit."""
    most_jobs: int | None = None
    """How many ended jobs, the newest; None: without limit."""
    most_events: int | None = 100_000


def forget(connection: Connection, chosen: Sequence[ColumnElement[bool]]) -> list[Job]:
    """Delete those of the chosen jobs that have ended, with everything kept of them."""
    gone = (
        delete(jobs)
        .where(jobs.c.state.in_(FINAL), *chosen)
        .returning(*COLUMNS, jobs.c.document, jobs.c.origin)
    )
    rows = connection.execute(gone).all()
    if not rows:
        return []
    digests = {row.document for row in rows} | {row.origin for row in rows if row.origin}
    drop_unused(connection, digests)
    connection.execute(delete(events).where(events.c.job.in_([row.id for row in rows])))
    return sorted((job_of(row[:-2]) for row in rows), key=lambda job: job.number)


def expired(connection: Connection, retention: Retention, now: float, most: int) -> list[str]:
    """The ids of at most so many jobs that need not be kept any more, the oldest first."""
    ended = jobs.c.state.in_(FINAL)
    old: list[ColumnElement[bool]] = []
    if retention.days is not None:
        old.append(jobs.c.finished < now - retention.days * 86_400)
    if retention.most_jobs is not None:
        first_too_many = connection.scalar(
            select(jobs.c.number)
            .where(ended)
            .order_by(jobs.c.number.desc())
            .offset(max(retention.most_jobs, 0))
            .limit(1)
        )
        if first_too_many is not None:
            old.append(jobs.c.number <= first_too_many)
    if not old:
        return []
    found = select(jobs.c.id).where(ended, or_(*old)).order_by(jobs.c.number).limit(most)
    return list(connection.scalars(found))


def trim_events(connection: Connection, most: int) -> None:
    """Forget all but the newest events."""
    last = select(events.c.id).order_by(events.c.id.desc()).offset(max(most, 0)).limit(1)
    too_old = connection.scalar(last)
    if too_old is not None:
        connection.execute(delete(events).where(events.c.id <= too_old))
