"""Workers that do what a test says, and a queue that refuses when it says so."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from server.api.views import show
from server.database import Database
from server.database.faults import DatabaseFull
from server.dispatch import Dispatcher, Policy
from server.jobs.model import Job, Json, NewJob
from server.jobs.queue import Jobs
from server.live import Event, Hub
from server.workers.messages import Done, Happened, Run
from server.workers.spec import WorkerView


@dataclass
class Given:
    """A run that a worker was given; it ends when the test says."""

    worker: str
    run: Run
    heard: Callable[[Happened], None]
    end: "asyncio.Future[Done]"

    def succeed(self, **outputs: Any) -> None:
        told = {name: {"value": value} for name, value in outputs.items()}
        node = {"node": "a", "type": "Add", "state": "ran", "seconds": 0.1, "bytes": 8}
        self.end.set_result(Done(self.run.run, "succeeded", told, (node,)))

    def lose(self, error: Exception) -> None:
        self.end.set_exception(error)


@dataclass
class Crew:
    """In the place of the pool."""

    ids: tuple[str, ...] = ("one",)
    warm: dict[str, tuple[str, ...]] = field(default_factory=dict)
    given: "asyncio.Queue[Given]" = field(default_factory=asyncio.Queue)
    busy: dict[str, Given] = field(default_factory=dict)
    cancelled: list[str] = field(default_factory=list)
    yields: bool = True
    refuses: list[Exception] = field(default_factory=list)

    @property
    def workers(self) -> tuple[WorkerView, ...]:
        return tuple(
            WorkerView(
                id, "cpu", "here", "busy" if id in self.busy else "idle", 1, 0,
                self.warm.get(id, ()),
            )
            for id in self.ids
        )  # fmt: skip

    async def run(self, worker: str, run: Run, heard: Callable[[Happened], None]) -> Done:
        if self.refuses:
            raise self.refuses.pop()
        given = Given(worker, run, heard, asyncio.get_running_loop().create_future())
        self.busy[worker] = given
        self.given.put_nowait(given)
        try:
            return await given.end
        finally:
            del self.busy[worker]

    async def cancel(self, run: str, grace: float) -> None:
        self.cancelled.append(run)
        for given in self.busy.values():
            if given.run.run == run and self.yields and not given.end.done():
                given.end.set_result(Done(run, "cancelled", {}, ()))

    async def watch(self, run: str, previews: bool) -> None: ...

    async def next(self) -> Given:
        """The run that a worker is given next."""
        return await asyncio.wait_for(self.given.get(), 10)


class Moody(Jobs):
    """The queue, on a disk that is full when a test says so."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.faults: dict[str, list[Exception]] = {}
        self.full = False
        self.gates: dict[str, asyncio.Event] = {}
        self.tried: asyncio.Queue[str] = asyncio.Queue()

    async def _meet(self, step: str) -> None:
        self.tried.put_nowait(step)
        if step in self.gates:
            await self.gates[step].wait()
        if self.full:
            raise DatabaseFull("there is no room")
        if self.faults.get(step):
            raise self.faults[step].pop()

    @override
    async def upcoming(self, limit: int) -> list[Job]:
        await self._meet("upcoming")
        return await super().upcoming(limit)

    @override
    async def document(self, id: str) -> Json | None:
        await self._meet("document")
        return await super().document(id)

    @override
    async def claim(self, id: str, worker: str) -> Job | None:
        claimed = await super().claim(id, worker)
        await self._meet("claim")
        return claimed

    @override
    async def requeue(self, id: str, attempt: int) -> Job | None:
        await self._meet("requeue")
        return await super().requeue(id, attempt)

    @override
    async def finish(self, *arguments: Any, **rest: Any) -> Job | None:
        await self._meet("finish")
        return await super().finish(*arguments, **rest)

    @override
    async def record(self, happened: Sequence[Event]) -> None:
        await self._meet("record")
        await super().record(happened)

    async def until(self, step: str) -> None:
        """Wait until a step is tried."""
        async with asyncio.timeout(10):
            while await self.tried.get() != step:
                pass


@dataclass
class Office:
    """A dispatcher over both."""

    jobs: Moody
    crew: Crew
    hub: Hub
    dispatcher: Dispatcher

    async def submit(self, *names: str, **values: Any) -> list[Job]:
        new = [NewJob(values.get("owner", "ada"), {"n": n}, n, **_but(values)) for n in names]
        jobs = await self.jobs.submit(new)
        for job in jobs:
            self.dispatcher.tell("job.queued", job)
        self.dispatcher.wake()
        return jobs

    async def state(self, job: Job) -> Job:
        found = await self.jobs.get(job.id)
        assert found is not None
        return found

    async def ended(self, job: Job) -> Job:
        """The job once it has ended."""
        async with asyncio.timeout(10):
            while (now := await self.state(job)).state in {"queued", "running"}:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return now

    def told(self, job: Job) -> list[str]:
        """The kinds of events that were told of the job."""
        return [event.type for event in self.hub.kept if event.job == job.id]


def _but(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != "owner"}


Opened = Callable[..., Awaitable[Office]]


@pytest.fixture
def fresh_database(tmp_path: Path) -> Database:
    return Database.open(str(tmp_path / "jobs.db"))


@pytest.fixture
async def open_office(fresh_database: Database, tmp_path: Path) -> AsyncIterator[Opened]:
    opened: list[Office] = []

    async def make(*, policy: Policy | None = None, **crew: Any) -> Office:
        jobs, lent = Moody(fresh_database), Crew(**crew)
        hub = Hub(await jobs.first_event())
        pool: Any = lent
        policy = policy or Policy(stop_grace=0.1, cancel_grace=0.1)
        office = Office(
            jobs, lent, hub, Dispatcher(jobs, pool, hub, tmp_path, policy=policy, show=show)
        )
        opened.append(office)
        await office.dispatcher.start()
        return office

    yield make
    for office in opened:
        office.jobs.full = False
        await office.dispatcher.stop()
    fresh_database.close()
