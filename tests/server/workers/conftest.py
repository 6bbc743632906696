import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from server.workers.line import Line, LineClosed
from server.workers.local import LocalLine
from server.workers.messages import Done, FromWorker, Happened, Run, Stop, ToWorker
from server.workers.outfit import Outfit
from server.workers.pool import DESK, Change, Pool
from server.workers.spec import Care, Spec, WorkerView

ROOT = Path(__file__).parent.parent.parent.parent
Json = dict[str, Any]


def graph(type_name: str, inputs: Json | None = None, output: str = "value") -> Json:
    """A workflow of one node, whose output is named."""
    return {
        "darkroom": 1,
        "nodes": {"node": {"type": type_name, "inputs": inputs or {}}},
        "outputs": {"out": {"node": "node", "output": output}},
    }


async def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(seconds):
        while True:
            if condition():
                return
            await asyncio.sleep(0.02)


@dataclass
class Crew:
    """A pool over the toys, with what it told."""

    folder: Path
    pool: Pool
    changes: list[Change] = field(default_factory=list)
    happened: list[Happened] = field(default_factory=list)
    number: int = 0

    def order(self, document: Json, **rest: Any) -> Run:
        self.number += 1
        folder = self.folder
        return Run(
            run=f"run-{self.number}",
            document=document,
            owner="local",
            inputs=str(folder / "inputs"),
            outputs=str(folder / "outputs"),
            previews=str(folder / "previews"),
            **rest,
        )

    async def idle(self, count: int = 1, seconds: float = 20.0) -> tuple[WorkerView, ...]:
        """The idle workers, once there are so many."""
        async with asyncio.timeout(seconds):
            while True:
                idle = tuple(view for view in self.pool.workers if view.state == "idle")
                if len(idle) >= count:
                    return idle
                await asyncio.sleep(0.02)

    async def run(self, document: Json, **rest: Any) -> Done:
        """Run something on the first idle worker."""
        (view, *_) = await self.idle()
        return await self.pool.run(view.id, self.order(document, **rest), self.happened.append)

    def start(self, document: Json, view: WorkerView, **rest: Any) -> "asyncio.Task[Done]":
        order = self.order(document, **rest)
        return asyncio.create_task(self.pool.run(view.id, order, self.happened.append))

    async def until(self, kind: str, seconds: float = 20.0) -> Happened:
        """The first event of a kind, once it has happened."""
        async with asyncio.timeout(seconds):
            while True:
                for event in self.happened:
                    if event.type == kind:
                        return event
                await asyncio.sleep(0.01)


class Silent:
    """The line of a desk that a test does without."""

    def __init__(self) -> None:
        self.killed = asyncio.Event()

    async def send(self, message: ToWorker) -> None:
        if isinstance(message, Stop):
            self.killed.set()

    async def receive(self) -> FromWorker:
        await self.killed.wait()
        raise LineClosed("it left")

    async def kill(self) -> None:
        self.killed.set()


Hire = Callable[..., Any]


@pytest.fixture
def hire(tmp_path: Path) -> Hire:
    """Makes a `Crew` for a `with`."""

    @asynccontextmanager
    async def hired(
        *names: str,
        care: Care | None = None,
        opener: Callable[[Spec], Awaitable[Line]] | None = None,
        nodes: str = "tests.toys",
        path: str = str(ROOT),
        desk: bool = False,
        **rest: Any,
    ) -> AsyncIterator[Crew]:
        outfit = Outfit(data=tmp_path, nodes=nodes, hang=30.0)

        async def opened(spec: Spec) -> Line:
            if spec == DESK and not desk:
                return Silent()
            return await LocalLine.open(spec.id, outfit, {"PYTHONPATH": path})

        changes: list[Change] = []
        specs = [Spec(name) for name in names or ("one",)]
        pool = Pool(opener or opened, specs, care=care, on_change=changes.append, **rest)
        crew = Crew(tmp_path, pool, changes)
        await pool.start()
        try:
            yield crew
        finally:
            await pool.stop(hurry=True, seconds=5.0)

    return hired
