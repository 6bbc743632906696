"""Writes down what becomes of jobs, however long the database takes nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from itertools import chain, repeat
from typing import TypeVar

import structlog

from server.database.faults import DatabaseFault
from server.jobs.queue import Jobs
from server.live import Event

T = TypeVar("T")
TOGETHER_SECONDS = 0.05
"""How long events wait for others to be written down with them."""
log = structlog.get_logger("dispatch")


class Scribe:
    """Tries again while the disk is full or the database is locked, until the server stops."""

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs
        self.stopping = asyncio.Event()
        self.unwritten: list[Event] = []
        self.tasks: set[asyncio.Task[None]] = set()

    def hasten(self) -> None:
        """Pause no more, and give up what the database still does not take then."""
        self.stopping.set()

    async def close(self) -> None:
        """Write down the last events."""
        self.hasten()
        while self.tasks:
            await asyncio.wait(tuple(self.tasks))

    async def kept(self, job: str, step: Callable[[], Awaitable[T]]) -> T | None:
        """What a step gives once the database takes it.

        None if the server stops before: its next start finds the job as it was, and runs it again.
        """
        for seconds in _pauses():
            last = self.stopping.is_set()
            try:
                return await step()
            except DatabaseFault as fault:
                log.warning("it could not be written down", job=job, reason=str(fault))
            if last:
                break
            await self.pause(seconds)
        return None

    async def pause(self, seconds: float) -> None:
        """Wait, unless the server stops."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), seconds)

    def remember(self, events: list[Event]) -> None:
        """Write events down together with others, without making anybody wait for it."""
        if events and not self.unwritten:
            task = asyncio.create_task(self._record())
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        self.unwritten += events

    async def _record(self) -> None:
        await self.pause(TOGETHER_SECONDS)
        events, self.unwritten = self.unwritten, []
        try:
            await self.kept(events[0].job or "", lambda: self.jobs.record(events))
        except Exception:  # nobody waits for this task, so that nobody else would tell of it
            log.exception("events could not be written down", first=events[0].id)


def _pauses() -> Iterator[float]:
    """Seconds between attempts."""
    return chain((0.2, 1.0, 5.0), repeat(15.0))
