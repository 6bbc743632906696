"""Finding jobs, a page at a time."""

import base64
import binascii
import json
from typing import Any, get_args

from sqlalchemy import ColumnElement, Connection, and_, exists, func, literal, or_, select, tuple_

from engine.errors import InputError
from server.database.tables import jobs, stars
from server.jobs.model import FINAL, Filter, Job, JobState, Page
from server.jobs.order import RUN_ORDER
from server.jobs.rows import JOBS, job_of

_STATES: tuple[JobState, ...] = get_args(JobState)
_WAITING: tuple[JobState, ...] = ("running", "queued")


def find(connection: Connection, wanted: Filter, limit: int, after: str | None) -> Page:
    """The first jobs that a filter finds, or those after an earlier page.

    Raises:
        InputError: `after` does not come from an earlier page.
    """
    conditions = _conditions(wanted)
    states = _states(wanted)
    of_states = and_(jobs.c.state.in_(states), *conditions)
    total = connection.scalar(select(func.count()).select_from(jobs).where(of_states))
    position = None if after is None else _read(after, 4 if wanted.queue else 1)
    find_in = _queue if wanted.queue else _newest
    found = find_in(connection, states, conditions, limit + 1, position)
    more = len(found) > limit
    page = tuple(found[:limit])
    return Page(page, total or 0, _write(page[-1], wanted) if more and page else None)


def _states(wanted: Filter) -> tuple[JobState, ...]:
    if not wanted.queue:
        return wanted.states or _STATES
    chosen = set(wanted.states) or {"queued"}
    return tuple(state for state in _WAITING if state in chosen - FINAL)


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.owner is not None:
        conditions.append(jobs.c.owner == wanted.owner)
    if wanted.name is not None:
        conditions.append(jobs.c.name == wanted.name)
    if wanted.text:
        conditions.append(
            or_(
                jobs.c.name.icontains(wanted.text, autoescape=True),
                jobs.c.id.icontains(wanted.text, autoescape=True),
            )
        )
    if wanted.since is not None:
        conditions.append(jobs.c.created >= wanted.since)
    if wanted.until is not None:
        conditions.append(jobs.c.created < wanted.until)
    if wanted.starred:
        conditions.append(exists().where(stars.c.job == jobs.c.number))
    return conditions


def _newest(
    connection: Connection,
    states: tuple[JobState, ...],
    conditions: list[ColumnElement[bool]],
    limit: int,
    position: list[Any] | None,
) -> list[Job]:
    if position is not None:
        conditions = [*conditions, jobs.c.number < position[0]]
    # One state at a time, so that an index gives the order: no sorting of a long history.
    found = [
        job_of(row)
        for state in states
        for row in connection.execute(
            JOBS.where(jobs.c.state == state, *conditions)
            .order_by(jobs.c.number.desc())
            .limit(limit)
        )
    ]
    return sorted(found, key=lambda job: -job.number)[:limit]


def _queue(
    connection: Connection,
    states: tuple[JobState, ...],
    conditions: list[ColumnElement[bool]],
    limit: int,
    position: list[Any] | None,
) -> list[Job]:
    found: list[Job] = []
    for state in states:
        here = [jobs.c.state == state, *conditions]
        if position is not None:
            if position[0] != state and position[0] in states[states.index(state) :]:
                continue
            if position[0] == state:
                here.append(tuple_(*RUN_ORDER) > tuple_(*map(literal, position[1:])))
        rows = connection.execute(JOBS.where(*here).order_by(*RUN_ORDER).limit(limit - len(found)))
        found += [job_of(row) for row in rows]
    return found


def _write(last: Job, wanted: Filter) -> str:
    position: list[Any] = [last.number]
    if wanted.queue:
        position = [last.state, -last.priority, last.rank, last.number]
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def _read(after: str, length: int) -> list[Any]:
    try:
        padded = after.encode() + b"=" * (-len(after) % 4)
        position = json.loads(base64.urlsafe_b64decode(padded))
    except (ValueError, binascii.Error, RecursionError):
        position = None
    if isinstance(position, list) and len(position) == length:
        numbers = position if length == 1 else position[1:]
        known = length == 1 or position[0] in _WAITING
        if known and all(type(n) in (int, float) and abs(n) < 2**63 for n in numbers):
            return position
    raise InputError(
        "this place in the list is not known: take `next` of an earlier page, or begin again",
        code="bad_cursor",
    )
