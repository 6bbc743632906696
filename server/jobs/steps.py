"""The steps of a job's life. Each names the state that it starts from, so that it is made once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Executable, bindparam, insert, select, update

from server.database.tables import deliveries, job_nodes, jobs
from server.jobs import order
from server.jobs.model import Job, JobState, Json, NodeRecord
from server.jobs.rows import COLUMNS, job_of, node_values

_ATTEMPT = (
    jobs.c.id == bindparam("of"),
    jobs.c.state == "running",
    jobs.c.attempt == bindparam("tried"),
)
_PRIORITY = select(-jobs.c.precedence).where(*_ATTEMPT)
_CLAIM = (
    update(jobs)
    .where(jobs.c.id == bindparam("of"), jobs.c.state == "queued")
    .values(
        state="running",
        worker=bindparam("by"),
        attempt=jobs.c.attempt + 1,
        started=bindparam("now"),
    )
    .returning(*COLUMNS)
)
_REQUEUE = (
    update(jobs)
    .where(*_ATTEMPT)
    .values(state="queued", rank=bindparam("place"), started=None)
    .returning(*COLUMNS)
)
_FINISH = (
    update(jobs)
    .where(*_ATTEMPT)
    .values(
        state=bindparam("end"),
        outputs=bindparam("gave"),
        error=bindparam("fault"),
        finished=bindparam("now"),
    )
    .returning(*COLUMNS)
)
_NODES = insert(job_nodes)


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended."""

    state: JobState
    outputs: Json
    error: Json | None
    nodes: tuple[NodeRecord, ...]


def claim(connection: Connection, id: str, worker: str, now: float) -> Job | None:
    """From queued to running."""
    return _step(connection, _CLAIM, of=id, by=worker, now=now)


def requeue(connection: Connection, id: str, attempt: int) -> Job | None:
    """From running back to the front of the queue."""
    priority = connection.scalar(_PRIORITY, {"of": id, "tried": attempt})
    if priority is None:
        return None
    place = order.front(connection, priority)
    return _step(connection, _REQUEUE, of=id, tried=attempt, place=place)


def finish(
    connection: Connection,
    id: str,
    attempt: int,
    ending: Ending,
    now: float,
) -> Job | None:
    """From running to an end."""
    end = {"end": ending.state, "gave": ending.outputs, "fault": ending.error, "now": now}
    finished = _step(connection, _FINISH, of=id, tried=attempt, **end)
    if finished is not None:
        if ending.nodes:
            connection.execute(_NODES, node_values(finished.number, ending.nodes))
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


def _step(connection: Connection, step: Executable, **values: Any) -> Job | None:
    row = connection.execute(step, values).first()
    return None if row is None else job_of(row)


def _announce(connection: Connection, ended: Sequence[Job]) -> None:
    """Have those told who asked to be: in the same transaction, so that none is forgotten."""
    told = [
        {"job": job.number, "url": job.webhook, "state": "waiting"} for job in ended if job.webhook
    ]
    if told:
        connection.execute(insert(deliveries), told)
