"""Accepting jobs: each request once, however often it is made."""

from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, insert, select

from engine.errors import InputError
from server.database.tables import UNSTORABLE, jobs
from server.jobs import order
from server.jobs.documents import keep, pack
from server.jobs.ids import Ids
from server.jobs.model import FINAL, Job, NewJob
from server.jobs.rows import COLUMNS, job_of

_MOST_CHARACTERS = 200
_KNOWN = select(*COLUMNS, jobs.c.fingerprint, jobs.c.idempotency_key)
_SAME_ID = _KNOWN.where(jobs.c.id == bindparam("of"))
_SAME_KEY = _KNOWN.where(
    jobs.c.owner == bindparam("by"), jobs.c.idempotency_key == bindparam("key")
)
_MAKE = {
    is_first: insert(jobs).values(rank=order.FRONT if is_first else order.BACK).returning(*COLUMNS)
    for is_first in (True, False)
}


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
    job = _made(
        connection,
        front=new.front,
        id=new.id or ids.fresh(),
        owner=new.owner,
        name=new.name,
        precedence=-new.priority,
        created=now,
        idempotency_key=new.idempotency_key,
        fingerprint=fingerprint,
        document=packed.digest,
        origin=origin,
        webhook=new.webhook,
        wants=list(new.wants),
    )
    return Accepted(job, made=True)


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
    return _made(
        connection,
        **{name: getattr(old, name) for name in same},
        id=ids.fresh(),
        created=now,
        retry_of=old.id,
    )


def _made(connection: Connection, *, front: bool = False, **values: Any) -> Job:
    values |= {"state": "queued", "outputs": {}, "within": -values["precedence"]}
    return job_of(connection.execute(_MAKE[front], values).one())


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
        said = f"the idempotency key {new.idempotency_key!r} was used for another request"
    else:
        said = f"the job id {new.id!r} is taken"
    raise IdempotencyConflict(
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
