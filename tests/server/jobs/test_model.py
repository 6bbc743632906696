"""The queue against a model of it, and against the death of its process."""

import asyncio
import random
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from server.database.database import Database
from server.jobs.model import FINAL, Filter, JobState, NewJob
from server.jobs.order import Beside
from server.jobs.queue import Jobs


@dataclass
class Model:
    """What the queue should hold: ids by priority in their order, and the others by state."""

    queued: dict[int, list[str]] = field(default_factory=dict)
    running: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Attempt and priority of what runs, in the order of the starts."""
    final: dict[str, JobState] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)

    def order(self) -> list[str]:
        return [
            one for priority in sorted(self.queued, reverse=True) for one in self.queued[priority]
        ]

    def priority(self, one: str) -> int:
        return next(priority for priority, ids in self.queued.items() if one in ids)

    def take(self, one: str) -> int:
        priority = self.priority(one)
        self.queued[priority].remove(one)
        return priority

    def put(self, one: str, priority: int, *, front: bool) -> None:
        ids = self.queued.setdefault(priority, [])
        ids.insert(0 if front else len(ids), one)


class Player:
    """Makes random steps in the queue and in its model."""

    def __init__(self, jobs: Jobs, seed: int) -> None:
        self.jobs, self.model, self.random = jobs, Model(), random.Random(seed)

    async def submit(self) -> None:
        priority, front = self.random.choice([-1, 0, 0, 7]), self.random.random() < 0.3
        (job,) = await self.jobs.submit(
            [NewJob("ada", {"n": self.random.randrange(5)}, priority=priority, front=front)]
        )
        self.model.put(job.id, priority, front=front)

    async def claim(self) -> None:
        for one in self.model.order()[:1]:
            job = await self.jobs.claim(one, "w")
            assert job is not None
            self.model.attempts[one] = self.model.attempts.get(one, 0) + 1
            self.model.running[one] = (self.model.attempts[one], self.model.take(one))
            assert job.attempt == self.model.attempts[one]

    async def finish(self) -> None:
        for one, (attempt, _) in self.some(self.model.running.items()):
            state = self.random.choice(sorted(FINAL))
            assert await self.jobs.finish(one, attempt - 1, state) is None
            assert await self.jobs.finish(one, attempt, state) is not None
            del self.model.running[one]
            self.model.final[one] = state

    async def requeue(self) -> None:
        for one, (attempt, priority) in self.some(self.model.running.items()):
            assert await self.jobs.requeue(one, attempt) is not None
            del self.model.running[one]
            self.model.put(one, priority, front=True)

    async def cancel(self) -> None:
        for one in self.some(self.model.order()):
            assert await self.jobs.cancel(one) is not None
            self.model.take(one)
            self.model.final[one] = "cancelled"

    async def move(self) -> None:
        for one in self.some(self.model.order()):
            other, before = self.random.choice(self.model.order()), self.random.random() < 0.5
            assert await self.jobs.move(one, to=Beside(other, before=before)) is not None
            if other != one:
                self.model.take(one)
                ids = self.model.queued[self.model.priority(other)]
                ids.insert(ids.index(other) + (not before), one)

    async def lift(self) -> None:
        for one in self.some(self.model.order()):
            front, priority = self.random.random() < 0.5, self.random.choice([0, 7])
            await self.jobs.move(one, to="front" if front else "back", priority=priority)
            self.model.take(one)
            self.model.put(one, priority, front=front)

    async def delete(self) -> None:
        for one in self.some(self.model.final):
            assert len(await self.jobs.delete([one], "ada")) == 1
            del self.model.final[one]

    def some(self, choices: object) -> list:  # type: ignore[type-arg]
        found = list(choices)  # type: ignore[call-overload]
        return [self.random.choice(found)] if found else []

    async def compare(self) -> None:
        assert [job.id for job in await self.jobs.upcoming(1000)] == self.model.order()
        page = await self.jobs.find(Filter(), 1000)
        states = {job.id: job.state for job in page.jobs}
        expected: dict[str, str] = dict.fromkeys(self.model.order(), "queued")
        expected |= dict.fromkeys(self.model.running, "running") | self.model.final
        assert states == expected


@pytest.mark.parametrize("seed", range(2))
async def test_the_queue_is_what_its_model_says(jobs: Jobs, seed: int) -> None:
    player = Player(jobs, seed)
    steps = [player.submit, player.submit, player.claim, player.finish, player.requeue]
    steps += [player.cancel, player.move, player.move, player.lift, player.delete]
    for _ in range(80):
        await player.random.choice(steps)()
        await player.compare()


WRITER = """
import asyncio, sys
from server.database.database import Database
from server.jobs.model import NewJob
from server.jobs.queue import Jobs

async def main():
    jobs = Jobs(Database.open(sys.argv[1]))
    await jobs.recover()
    async def client(n):
        while True:
            (job,) = await jobs.submit([NewJob("ada", {"client": n})])
            print("queued", job.id, flush=True)
            await jobs.claim(job.id, "w")
            if await jobs.finish(job.id, 1, "succeeded", {"of": job.id}):
                print("succeeded", job.id, flush=True)
    await asyncio.gather(*[client(n) for n in range(4)])

asyncio.run(main())
"""


def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    path = str(tmp_path / "jobs.db")
    acknowledged: dict[str, str] = {}
    chance = random.Random(4)
    for _ in range(3):
        command = [sys.executable, "-c", WRITER, path]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for _ in range(chance.randrange(20, 200)):
                state, one = writer.stdout.readline().split()
                acknowledged[one] = state
            writer.send_signal(signal.SIGKILL)
            rest = writer.stdout.read()
        for line in rest.splitlines(keepends=True):
            if line.endswith("\n"):
                state, one = line.split()
                acknowledged[one] = state

    async def found() -> dict[str, str]:
        database = Database.open(path)
        try:
            jobs = Jobs(database)
            page = await jobs.find(Filter(), 100_000)
            assert page.total == len(page.jobs) == len({job.id for job in page.jobs})
            for job in page.jobs:
                assert job.state != "succeeded" or job.outputs == {"of": job.id}
                assert await jobs.document(job.id) is not None
            return {job.id: job.state for job in page.jobs}
        finally:
            database.close()

    states = asyncio.run(found())
    assert len(acknowledged) >= 40
    for one, state in acknowledged.items():
        assert states[one] == "succeeded" or state == "queued"
