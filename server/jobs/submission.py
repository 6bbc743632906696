"""Accepting jobs: each request once, however often it is made."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, insert, select

from engine.errors import InputError
from server.database.tables import UNSTORABLE, jobs
from server.jobs import order
from server.jobs.documents import Packed, keep, pack
from server.jobs.ids import Ids
from server.jobs.model import FINAL, Job, NewJob
from server.jobs.rows import COLUMNS, JOBS, job_of

_MOST_CHARACTERS = 200
_KNOWN = select(*COLUMNS, jobs.c.fingerprint, jobs.c.idempotency_key)
_SAME_ID = _KNOWN.where(jobs.c.id == bindparam("of"))
_SAME_KEY = _KNOWN.where(
    jobs.c.owner == bindparam("by"), jobs.c.idempotency_key == bindparam("key")
)
_MAKE_ALL = insert(jobs).values(rank=order.BACK)
_MAKE = {
    True: insert(jobs).values(rank=order.FRONT).returning(*COLUMNS),
    False: _MAKE_ALL.returning(*COLUMNS),
}
_TOGETHER = 500
_THESE = JOBS.where(jobs.c.id.in_(bindparam("ids", expanding=True)))


class IdempotencyConflict(InputError):  # noqa: N818 - as its clients know it
    """A key or id that was used before, for another request."""


class Accepted(NamedTuple):
    """A job that was asked for."""

    job: Job
    made: bool
    """Whether this request made it, and not the same one before."""


def submit(connection: Connection, new: NewJob, ids: Ids, now: float) -> Accepted:
    """The accepted job: a new one, or the one that the same request made before.

    Raises:
        IdempotencyConflict: The key or id stands for another request.
        InputError: A name, key or id cannot be kept.
    """
    _check(new)
    packed = pack(new.document)
    fingerprint = new.fingerprint or packed.digest
    first = _first(connection, new)
    if first is not None:
        return Accepted(_repeated(first, new, fingerprint), made=False)
    keep(connection, packed)
    origin = None
    if new.origin:
        kept = pack(new.origin)
        keep(connection, kept)
        origin = kept.digest
    values = _values(new, packed, id=new.id or ids.fresh(), created=now, origin=origin)
    row = connection.execute(_MAKE[new.front], values).one()
    return Accepted(job_of(row), made=True)


def submit_all(
    connection: Connection, new: Sequence[NewJob], ids: Ids, now: float
) -> list[Accepted]:
    """The accepted jobs; as `submit` for one after the other, in fewer statements."""
    alike = all(not (job.front or job.id or job.idempotency_key or job.origin) for job in new)
    if len(new) == 1 or not alike:
        # Each goes before those that are there: so the last of those for the front is made first.
        made = {}
        for place, job in sorted(enumerate(new), key=lambda each: -each[0] * each[1].front):
            made[place] = submit(connection, job, ids, now)
        return [made[place] for place in range(len(new))]
    rows, documents = [], {}
    for job in new:
        _check(job)
        packed = pack(job.document)
        documents[packed.digest] = packed
        rows.append(_values(job, packed, id=ids.fresh(), created=now))
    keep(connection, *documents.values())
    connection.execute(_MAKE_ALL, rows)
    found: dict[str, Job] = {}
    for start in range(0, len(rows), _TOGETHER):
        chosen = [row["id"] for row in rows[start : start + _TOGETHER]]
        found |= {job.id: job for job in map(job_of, connection.execute(_THESE, {"ids": chosen}))}
    return [Accepted(found[row["id"]], made=True) for row in rows]


def made_before(
    connection: Connection, owner: str, keys: Sequence[str], fingerprint: str
) -> list[Job]:
    """The jobs of these idempotency keys; none if one of them is not there.

    Raises:
        IdempotencyConflict: One stands for another request.
    """
    found = []
    for key in keys:
        row = connection.execute(_SAME_KEY, {"by": owner, "key": key}).first()
        if row is None:
            return []
        if row.fingerprint != fingerprint:
            raise _conflict("the idempotency key was used for another request")
        found.append(job_of(row[: len(COLUMNS)]))
    return found


def repeat(connection: Connection, id: str, ids: Ids, now: float) -> Job:
    """A new job that runs the same as one that has ended.

    Raises:
        InputError: There is no such job, or it has not ended.
    """
    old = connection.execute(select(jobs).where(jobs.c.id == id)).first()
    if old is None:
        raise InputError(f"there is no job {id}", code="unknown_job")
    if old.state not in FINAL:
        raise InputError(
            f"job {id} is {old.state}: it can be run again when it has ended", code="job_not_final"
        )
    same = ("owner", "name", "precedence", "fingerprint", "document", "origin", "webhook", "wants")
    values = {name: getattr(old, name) for name in same}
    values |= {"id": ids.fresh(), "created": now, "retry_of": old.id}
    values |= _fresh(-old.precedence)
    return job_of(connection.execute(_MAKE[False], values).one())


def _values(new: NewJob, packed: Packed, **further: Any) -> dict[str, Any]:
    """The row of a new job, as the statements take it."""
    return {
        "owner": new.owner,
        "name": new.name,
        "precedence": -new.priority,
        "idempotency_key": new.idempotency_key,
        "fingerprint": new.fingerprint or packed.digest,
        "document": packed.digest,
        "webhook": new.webhook,
        "wants": list(new.wants),
        **further,
        **_fresh(new.priority),
    }


def _fresh(priority: int) -> dict[str, Any]:
    return {"state": "queued", "outputs": {}, "within": priority}


def _first(connection: Connection, new: NewJob) -> Any:
    """The job that was made under the same key, or else has the same id."""
    row = None
    if new.idempotency_key is not None:
        key = {"by": new.owner, "key": new.idempotency_key}
        row = connection.execute(_SAME_KEY, key).first()
    if row is None and new.id is not None:
        row = connection.execute(_SAME_ID, {"of": new.id}).first()
    return row


def _repeated(first: Any, new: NewJob, fingerprint: str) -> Job:
    ours = first.owner == new.owner
    if ours and first.fingerprint == fingerprint:
        return job_of(first[: len(COLUMNS)])
    if ours and new.idempotency_key is not None and first.idempotency_key == new.idempotency_key:
        raise _conflict("the idempotency key was used for another request")
    raise _conflict(f"the job id {new.id!r} is taken")


def _conflict(said: str) -> IdempotencyConflict:
    return IdempotencyConflict(
        said, code="idempotency_conflict", hint="give another, or leave it out"
    )


def _check(new: NewJob) -> None:
    """Refuse text that a database cannot keep or an index cannot hold."""
    named = {
        "id": new.id,
        "name": new.name,
        "owner": new.owner,
        "idempotency key": new.idempotency_key,
        "fingerprint": new.fingerprint,
    }
    for what, text in named.items():
        if text is None:
            continue
        if len(text) > _MOST_CHARACTERS:
            raise InputError(
                f"the {what} has {len(text)} characters: give at most {_MOST_CHARACTERS}",
                code="too_long",
            )
        if UNSTORABLE.search(text):
            raise InputError(
                f"the {what} {text!r} is no plain text: leave its control characters out",
                code="bad_text",
            )
    if abs(new.priority) >= 2**31:
        raise InputError(
            f"the priority {new.priority} is out of range: give a small number",
            code="bad_priority",
        )
    if new.id is not None and not new.id:
        raise InputError("the id is empty: give one, or leave it out", code="bad_text")
