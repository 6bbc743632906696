"""The order of the queue: the rank of a job among those of its priority.

Ranks are real numbers with gaps, so that a job moves by changing its own alone. No clock takes part.
"""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, Integer, bindparam, func, select, update

from engine.errors import InputError
from server.database.tables import jobs
from server.jobs.model import Job
from server.jobs.rows import COLUMNS, JOBS, job_of

GAP = 1024.0


@dataclass(frozen=True, slots=True)
class Beside:
    """A place right before or behind another queued job."""

    job: str
    before: bool = True


Target = Literal["front", "back"] | Beside
RUN_ORDER = (jobs.c.precedence, jobs.c.rank, jobs.c.number)
_QUEUED = (jobs.c.state == "queued", jobs.c.precedence == -bindparam("within", type_=Integer))
_LEAST = select(func.min(jobs.c.rank)).where(*_QUEUED)
_MOST = select(func.max(jobs.c.rank)).where(*_QUEUED)
FRONT = func.coalesce(_LEAST.scalar_subquery() - GAP, 0.0)
"""A rank before all queued jobs of the priority `within`, as a part of a statement."""
BACK = func.coalesce(_MOST.scalar_subquery() + GAP, 0.0)
"""A rank behind them."""


def front(connection: Connection, priority: int) -> float:
    """A rank before all queued jobs of a priority."""
    least = connection.scalar(_LEAST, {"within": priority})
    return 0.0 if least is None else least - GAP


def back(connection: Connection, priority: int) -> float:
    """A rank behind all queued jobs of a priority."""
    most = connection.scalar(_MOST, {"within": priority})
    return 0.0 if most is None else most + GAP


def move(
    connection: Connection,
    id: str,
    to: Target | None,
    priority: int | None,
) -> Job | None:
    """The queued job in its new place; None if it is not queued.

    Raises:
        InputError: The job to stand beside is not queued.
    """
    queued = JOBS.where(jobs.c.id == id, jobs.c.state == "queued")
    row = connection.execute(queued).first()
    if row is None:
        return None
    job = job_of(row)
    priority = job.priority if priority is None else priority
    if to is None and priority == job.priority:
        return job
    if isinstance(to, Beside):
        if to.job == id:
            return job
        priority, rank = _beside(connection, to, job.number)
    elif to == "front":
        rank = front(connection, priority)
    else:
        rank = back(connection, priority)
    moved = update(jobs).where(jobs.c.number == job.number).values(precedence=-priority, rank=rank)
    return job_of(connection.execute(moved.returning(*COLUMNS)).one())


def _beside(connection: Connection, to: Beside, moving: int) -> tuple[int, float]:
    queued = select((-jobs.c.precedence).label("priority"), jobs.c.rank).where(
        jobs.c.id == to.job, jobs.c.state == "queued"
    )
    other = connection.execute(queued).first()
    if other is None:
        raise InputError(
            f"job {to.job} is not queued: name another to stand beside", code="not_queued"
        )
    priority = other.priority
    rank = _between(connection, priority, other.rank, moving, before=to.before)
    while rank is None:  # once at most: then there are gaps again
        _renumber(connection, priority)
        spread = connection.execute(queued).one().rank
        rank = _between(connection, priority, spread, moving, before=to.before)
    return priority, rank


def _between(
    connection: Connection, priority: int, rank: float, moving: int, *, before: bool
) -> float | None:
    others = (*_QUEUED, jobs.c.number != moving)
    if before:
        nearest = select(func.max(jobs.c.rank)).where(*others, jobs.c.rank < rank)
    else:
        nearest = select(func.min(jobs.c.rank)).where(*others, jobs.c.rank > rank)
    neighbour = connection.scalar(nearest, {"within": priority})
    if neighbour is None:
        return rank - GAP if before else rank + GAP
    middle = (rank + neighbour) / 2
    low, high = sorted((rank, neighbour))
    return float(middle) if low < middle < high else None


def _renumber(connection: Connection, priority: int) -> None:
    found = select(jobs.c.number).where(*_QUEUED).order_by(jobs.c.rank, jobs.c.number)
    numbers = connection.scalars(found, {"within": priority}).all()
    places = [{"of": number, "place": place * GAP} for place, number in enumerate(numbers)]
    connection.execute(
        update(jobs).where(jobs.c.number == bindparam("of")).values(rank=bindparam("place")), places
    )
