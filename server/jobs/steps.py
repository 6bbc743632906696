"""The steps of a job's life. Each names the state that it starts from, so that it is made once."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, insert, select, update

from server.database.tables import deliveries, job_nodes, jobs
from server.jobs import order
from server.jobs.model import Job, JobState, NodeRecord
from server.jobs.rows import COLUMNS, job_of, node_values


def claim(connection: Connection, id: str, worker: str, now: float) -> Job | None:  # noqa: A002
    """From queued to running."""
    return _step(
        connection,
        (jobs.c.id == id, jobs.c.state == "queued"),
        state="running",
        worker=worker,
        attempt=jobs.c.attempt + 1,
        started=now,
    )


def requeue(connection: Connection, id: str, attempt: int) -> Job | None:  # noqa: A002
    """From running back to the front of the queue."""
    here = _attempt(id, attempt)
    priority = connection.scalar(select(jobs.c.priority).where(*here))
    if priority is None:
        return None
    rank = order.front(connection, priority)
    return _step(connection, here, state="queued", rank=rank, started=None)


def finish(
    connection: Connection,
    job: tuple[str, int],
    state: JobState,
    ended: dict[str, Any],
    nodes: Sequence[NodeRecord],
) -> Job | None:
    """From running to an end.

    Args:
        connection: Within a transaction.
        job: Its id and attempt.
        state: The final one.
        ended: Outputs, error and time.
        nodes: What became of them.
    """
    finished = _step(connection, _attempt(*job), state=state, **ended)
    if finished is not None:
        if nodes:
            connection.execute(insert(job_nodes), node_values(finished.number, nodes))
        _announce(connection, [finished])
    return finished


def cancel(connection: Connection, now: float, *chosen: ColumnElement[bool]) -> list[Job]:
    """From queued to cancelled, for all that are chosen."""
    cancelled = (
        update(jobs)
        .where(jobs.c.state == "queued", *chosen)
        .values(state="cancelled", finished=now)
        .returning(*COLUMNS)
    )
    ended = sorted(map(job_of, connection.execute(cancelled)), key=lambda job: job.number)
    _announce(connection, ended)
    return ended


def recover(connection: Connection) -> list[Job]:
    """Every job that runs, back to the front of the queue in the order that they had."""
    running = select(jobs.c.id, jobs.c.attempt).where(jobs.c.state == "running")
    found = connection.execute(running.order_by(*order.RUN_ORDER)).all()
    again = [requeue(connection, row.id, row.attempt) for row in reversed(found)]
    return [job for job in reversed(again) if job is not None]


def _step(
    connection: Connection, start: Sequence[ColumnElement[bool]], **values: Any
) -> Job | None:
    changed = update(jobs).where(*start).values(values).returning(*COLUMNS)
    row = connection.execute(changed).first()
    return None if row is None else job_of(row)


def _attempt(id: str, attempt: int) -> tuple[ColumnElement[bool], ...]:  # noqa: A002
    return jobs.c.id == id, jobs.c.state == "running", jobs.c.attempt == attempt


def _announce(connection: Connection, ended: Sequence[Job]) -> None:
    """Have those told who asked to be: in the same transaction, so that none is forgotten."""
    told = [
        {"job": job.number, "url": job.webhook, "state": "waiting"} for job in ended if job.webhook
    ]
    if told:
        connection.execute(insert(deliveries), told)
