"""Jobs from their acceptance to their end, durable at every step."""

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, exists, func, insert, select

from server.database.database import Database
from server.database.remembered import recall, remember
from server.database.tables import documents, events, job_nodes, jobs
from server.jobs import order, past, steps, submission
from server.jobs.documents import unpack
from server.jobs.ids import Ids
from server.jobs.model import ENDS, FINAL, Filter, Job, JobState, Json, NewJob, NodeRecord, Page
from server.jobs.rows import JOBS, job_by_id, job_of
from server.jobs.search import find
from server.live import Event

_UPCOMING = JOBS.where(jobs.c.state == "queued").order_by(*order.RUN_ORDER).limit(bindparam("most"))
_CONTENT = select(documents.c.content).where(jobs.c.id == bindparam("of"))
_DOCUMENT = _CONTENT.join(jobs, jobs.c.document == documents.c.digest)
_ORIGIN = _CONTENT.join(jobs, jobs.c.origin == documents.c.digest)
_RECORD = insert(events)
_TOGETHER = 500  # jobs deleted in one transaction: others wait for it


class Jobs:
    """The queue, with its history.

    A job only moves from queued to running to a final state. Of two who try the same step, one
    gets the job and the other None.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        """Use a database.

        Args:
            database: An opened one.
            clock: Gives the times that are shown. The order of the queue does not follow from them.
        """
        self.database = database
        self.clock = clock
        self.ids = Ids()

    async def submit(self, new: Sequence[NewJob]) -> list[Job]:
        """Accept jobs, all or none. A repeated request is answered with the job it made before.

        Raises:
            IdempotencyConflict: A key or id stands for another request.
            InputError: A name, key or id cannot be kept.
        """
        return [job for job, _ in await self.accept(new)]

    async def accept(self, new: Sequence[NewJob]) -> list[submission.Accepted]:
        """As `submit`; says of each job whether it is new."""

        def work(connection: Connection) -> list[submission.Accepted]:
            return submission.submit_all(connection, new, self.ids, self.clock())

        return await self.database.write(work)

    async def retry(self, id: str) -> Job:
        """A new job that runs the same as one that has ended.

        Raises:
            InputError: There is no such job, or it has not ended.
        """
        return await self.database.write(
            lambda connection: submission.repeat(connection, id, self.ids, self.clock())
        )

    async def get(self, id: str) -> Job | None:
        """A job; None if there is none of that id."""
        return await self.database.read(lambda connection: job_by_id(connection, id))

    async def document(self, id: str) -> Json | None:
        """The workflow that a job runs; None if there is no such job."""
        return await self._kept(_DOCUMENT, id)

    async def origin(self, id: str) -> Json | None:
        """What came with a job from the border that accepted it; None if nothing did."""
        return await self._kept(_ORIGIN, id)

    async def origins(self, ids: Sequence[str]) -> dict[str, Json]:
        """What came with each of these jobs from the border; those with nothing are left out."""
        found: dict[str, Json] = {}
        for start in range(0, len(ids), _TOGETHER):
            chosen = (
                select(jobs.c.id, documents.c.content)
                .join(documents, jobs.c.origin == documents.c.digest)
                .where(jobs.c.id.in_(ids[start : start + _TOGETHER]))
            )

            def work(connection: Connection, chosen: Select[Any] = chosen) -> dict[str, Json]:
                return {row.id: unpack(row.content) for row in connection.execute(chosen)}

            found |= await self.database.read(work)
        return found

    async def nodes(self, id: str) -> tuple[NodeRecord, ...]:
        """What became of the nodes of a job that has ended."""
        columns = [job_nodes.c[name] for name in ("node", "type", "state", "seconds", "bytes")]
        found = (
            select(*columns)
            .join(jobs, jobs.c.number == job_nodes.c.job)
            .where(jobs.c.id == id)
            .order_by(job_nodes.c.position)
        )

        def work(connection: Connection) -> tuple[NodeRecord, ...]:
            return tuple(NodeRecord(*row) for row in connection.execute(found))

        return await self.database.read(work)

    async def find(self, wanted: Filter, limit: int = 100, after: str | None = None) -> Page:
        """The first jobs that a filter finds, or those after an earlier page.

        Raises:
            InputError: `after` does not come from an earlier page.
        """
        return await self.database.read(lambda connection: find(connection, wanted, limit, after))

    async def upcoming(self, limit: int) -> list[Job]:
        """The next queued jobs, in the order in which they will run."""
        return await self.database.read(
            lambda connection: [
                job_of(row) for row in connection.execute(_UPCOMING, {"most": limit})
            ]
        )

    async def counts(self, owner: str | None = None) -> dict[JobState, int]:
        """How many jobs of an owner, or of all, are in each state."""
        counted = select(jobs.c.state, func.count()).group_by(jobs.c.state)
        if owner is not None:
            counted = counted.where(jobs.c.owner == owner)

        def work(connection: Connection) -> dict[JobState, int]:
            found = {row[0]: row[1] for row in connection.execute(counted)}
            return {state: found.get(state, 0) for state in ("queued", "running", *sorted(FINAL))}

        return await self.database.read(work)

    async def claim(self, id: str, worker: str) -> Job | None:
        """Start a queued job on a worker, as its next attempt; None if it is not queued.

        A loss of power may take it back: then the job is queued, as it would be again in any case.
        """
        return await self.database.write(
            lambda connection: steps.claim(connection, id, worker, self.clock()), durable=False
        )

    async def requeue(self, id: str, attempt: int) -> Job | None:
        """Put a running job back to the front; None if that attempt no longer runs."""
        return await self.database.write(lambda connection: steps.requeue(connection, id, attempt))

    async def finish(
        self,
        id: str,
        attempt: int,
        state: JobState,
        outputs: Json | None = None,
        *,
        error: Json | None = None,
        nodes: Sequence[NodeRecord] = (),
    ) -> Job | None:
        """End an attempt, exactly once; None if it no longer runs.

        Raises:
            ValueError: The state is not final, or the outputs hold a number that JSON lacks.
        """
        if state not in FINAL:
            raise ValueError(f"{state} is no final state: give one of {', '.join(sorted(FINAL))}")
        ending = steps.Ending(state, outputs or {}, error, tuple(nodes))
        return await self.database.write(
            lambda connection: steps.finish(connection, id, attempt, ending, self.clock())
        )

    async def cancel(self, id: str) -> Job | None:
        """Take a job out of the queue; None if it is not queued."""

        def work(connection: Connection) -> Job | None:
            cancelled = steps.cancel(connection, self.clock(), jobs.c.id == id)
            return cancelled[0] if cancelled else None

        return await self.database.write(work)

    async def cancel_all(self, owner: str | None) -> list[Job]:
        """Take every queued job of an owner, or of all, out of the queue."""
        return await self.database.write(
            lambda connection: steps.cancel(connection, self.clock(), *_of(owner))
        )

    async def move(
        self,
        id: str,
        *,
        to: order.Target | None = None,
        priority: int | None = None,
    ) -> Job | None:
        """Change the place of a queued job; None if it is not queued.

        Args:
            id: The job's.
            to: Where to; without it, a job whose priority changes goes to the back of the new one.
            priority: The new one. Beside another job it takes that one's.

        Raises:
            InputError: The job to stand beside is not queued.
        """
        return await self.database.write(
            lambda connection: order.move(connection, id, to, priority)
        )

    async def recover(self) -> list[Job]:
        """Queue again, at the front, what ran when the server ended."""
        return await self.database.write(steps.recover)

    async def delete(self, ids: Iterable[str], owner: str | None) -> list[Job]:
        """Forget jobs that have ended, with all that was kept of them; returns them.

        Args:
            ids: Which; those that have not ended, or are another's, stay.
            owner: Whose; None for anybody's.
        """
        wanted = list(dict.fromkeys(ids))
        gone: list[Job] = []
        for start in range(0, len(wanted), _TOGETHER):
            chosen = (jobs.c.id.in_(wanted[start : start + _TOGETHER]), *_of(owner))
            gone += await self.database.write(partial(past.forget, chosen=chosen))
        return gone

    async def expire(self, retention: past.Retention) -> list[Job]:
        """Forget what need not be kept any more; returns the jobs, whose files may go too."""
        gone: list[Job] = []
        while True:
            old = await self.database.read(
                lambda connection: past.expired(connection, retention, self.clock(), _TOGETHER)
            )
            deleted = await self.delete(old, None)
            gone += deleted
            if not deleted:
                break
        most = retention.most_events
        if most is not None:
            await self.database.write(lambda connection: past.trim_events(connection, most))
        return gone

    async def record(self, happened: Sequence[Event]) -> None:
        """Remember events beyond the server's end; a loss of power may take the last of them.

        How jobs ended does not depend on it: those ends that were not written are told again.
        """
        names = ("id", "type", "job", "owner", "time", "data")
        rows = [{name: getattr(event, name) for name in names} for event in happened]
        if rows:
            await self.database.write(
                lambda connection: connection.execute(_RECORD, rows) and None,
                durable=False,
            )

    async def events_after(
        self, last: int, *, owner: str | None = None, job: str | None = None, limit: int = 1000
    ) -> list[Event]:
        """The remembered events after `last`, the oldest first.

        Args:
            last: The id of the last event that is known.
            owner: Whose, besides those that concern everybody; None for all.
            job: Only those of a job.
            limit: How many at most.
        """
        found = select(events).where(events.c.id > last).order_by(events.c.id).limit(limit)
        if owner is not None:
            found = found.where(events.c.owner.in_((owner, "")))
        if job is not None:
            found = found.where(events.c.job == job)

        def work(connection: Connection) -> list[Event]:
            return [
                Event(row.id, row.type, row.job, row.owner, row.time, row.data)
                for row in connection.execute(found)
            ]

        return await self.database.read(work)

    async def untold(self, within: float = 86_400.0) -> list[Job]:
        """Jobs that ended, without their end among the events: the server was killed between.

        Args:
            within: How many seconds before the last remembered event they may have ended. The
                events of older jobs need not be remembered any more.
        """
        latest = select(func.max(events.c.time)).scalar_subquery()
        ends = list(ENDS)
        told = exists().where(events.c.job == jobs.c.id, events.c.type.in_(ends))
        found = JOBS.where(jobs.c.state.in_(FINAL), jobs.c.finished >= latest - within, ~told)

        def work(connection: Connection) -> list[Job]:
            rows = connection.execute(found.order_by(jobs.c.finished).limit(_TOGETHER))
            return [job_of(row) for row in rows]

        return await self.database.read(work)

    async def first_event(self) -> int:
        """The first id for the events of this start: higher than all before, whatever the clock."""

        def work(connection: Connection) -> int:
            start = int(recall(connection, "starts", 0)) + 1
            remember(connection, "starts", start)
            return (start << 32) + 1

        return await self.database.write(work)

    async def paused(self) -> bool:
        """Whether no job is to be started."""
        return bool(
            await self.database.read(lambda connection: recall(connection, "paused", default=False))
        )

    async def set_paused(self, paused: bool) -> None:
        """Have no job started, or start them again; it outlives the server."""
        await self.database.write(lambda connection: remember(connection, "paused", paused))

    async def _kept(self, wanted: Select[Any], id: str) -> Json | None:
        content: bytes | None = await self.database.read(
            lambda connection: connection.scalar(wanted, {"of": id})
        )
        return None if content is None else unpack(content)


def _of(owner: str | None) -> tuple[ColumnElement[bool], ...]:
    return () if owner is None else (jobs.c.owner == owner,)
