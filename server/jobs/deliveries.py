"""Telling the webhooks of ended jobs, again and again until one attempt succeeds or they give up.

That a job's end is to be told is written with the end itself. How often it was tried is kept too;
when the next attempt is due is not: it follows a clock that nobody sets, and begins anew with the
server.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, delete, select, update

from server.database.database import Database
from server.database.tables import deliveries, jobs

MOST_ATTEMPTS = 10  # with the pauses below: over two hours
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 3600.0
_COLUMNS = (
    deliveries.c.id,
    jobs.c.id.label("job"),
    deliveries.c.url,
    deliveries.c.state,
    deliveries.c.attempts,
    deliveries.c.reason,
)
_WAITING = (
    select(*_COLUMNS)
    .join(jobs, jobs.c.number == deliveries.c.job)
    .where(deliveries.c.state == "waiting")
    .order_by(deliveries.c.id)
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """The end of a job, to be told to a webhook."""

    id: int
    job: str
    url: str
    state: Literal["waiting", "failed"]
    attempts: int
    """How often it was tried in vain."""
    reason: str | None
    """Why the last attempt failed."""


class Deliveries:
    """What webhooks have still to be told."""

    def __init__(
        self,
        database: Database,
        most_attempts: int = MOST_ATTEMPTS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.database = database
        self.most_attempts = most_attempts
        self.monotonic = monotonic
        self.pausing: dict[int, float] = {}
        """When the next attempt is due, for those that failed before."""

    async def due(self, limit: int = 100) -> list[Delivery]:
        """What is to be tried now, the oldest first."""
        now = self.monotonic()
        pausing = [id for id, due in self.pausing.items() if due > now]

        def work(connection: Connection) -> list[Delivery]:
            waiting = _WAITING.limit(limit + len(pausing))
            found = [Delivery(*row) for row in connection.execute(waiting)]
            return [one for one in found if one.id not in pausing][:limit]

        return await self.database.read(work)

    def pause(self) -> float | None:
        """Seconds until the next attempt after a failed one is due; None if none failed."""
        return max(0.0, min(self.pausing.values()) - self.monotonic()) if self.pausing else None

    async def delivered(self, id: int) -> None:
        """The webhook was told: nothing is left to do."""
        self.pausing.pop(id, None)
        await self.database.write(
            lambda connection: (
                connection.execute(delete(deliveries).where(deliveries.c.id == id)).rowcount
            )
        )

    async def failed(self, id: int, reason: str, *, for_good: bool = False) -> Delivery | None:
        """An attempt failed: try again later, or give up after the last; None if it is gone.

        Args:
            id: The delivery's.
            reason: Why it failed.
            for_good: Whether another attempt would fail as well.
        """

        def work(connection: Connection) -> Delivery | None:
            return self._failed(connection, id, reason, for_good)

        delivery = await self.database.write(work)
        self.pausing.pop(id, None)
        if delivery is not None and delivery.state == "waiting":
            pause = min(_FIRST_PAUSE * 2 ** (delivery.attempts - 1), _LONGEST_PAUSE)
            # Spread, so that a webhook that comes back is not told everything at once.
            spread = random.uniform(0.8, 1.2)  # noqa: S311 - no secret
            self.pausing[id] = self.monotonic() + pause * spread
        return delivery

    async def of(self, job: str) -> list[Delivery]:
        """What a job's webhook was not told, or not yet."""
        found = (
            select(*_COLUMNS)
            .join(jobs, jobs.c.number == deliveries.c.job)
            .where(jobs.c.id == bindparam("of"))
            .order_by(deliveries.c.id)
        )

        def work(connection: Connection) -> list[Delivery]:
            return [Delivery(*row) for row in connection.execute(found, {"of": job})]

        return await self.database.read(work)

    def _failed(
        self,
        connection: Connection,
        id: int,
        reason: str,
        for_good: bool,
    ) -> Delivery | None:
        here = (deliveries.c.id == id, deliveries.c.state == "waiting")
        attempts = connection.scalar(select(deliveries.c.attempts).where(*here))
        if attempts is None:
            return None
        last = for_good or attempts + 1 >= self.most_attempts
        values: dict[str, Any] = {
            "attempts": attempts + 1,
            "reason": reason[:1000],
            "state": "failed" if last else "waiting",
        }
        connection.execute(update(deliveries).where(*here).values(values))
        row = connection.execute(
            select(*_COLUMNS)
            .join(jobs, jobs.c.number == deliveries.c.job)
            .where(deliveries.c.id == id)
        ).one()
        return Delivery(*row)
