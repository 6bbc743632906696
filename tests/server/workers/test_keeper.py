"""What becomes of a run when the line to its worker does what no line should."""

import asyncio
from collections import deque
from pathlib import Path

import pytest
from typing_extensions import override

from server.workers import keeper as module
from server.workers.keeper import Keeper
from server.workers.line import FrameError, LineClosed
from server.workers.messages import FromWorker, Ready, Run, ToWorker
from server.workers.spec import Care, Spec, WorkerLost

from .conftest import eventually

QUICK = Care(first_pause=0.01, longest_pause=0.02)


class Faulty:
    """A line whose worker is ready at once, and that then raises what a test says."""

    def __init__(self) -> None:
        self.heard: deque[FromWorker] = deque([Ready(1, "cpu", ("cpu",), "c", {}, "here")])
        self.fault: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        self.killed = False

    async def send(self, message: ToWorker) -> None:
        """Take everything."""

    async def receive(self) -> FromWorker:
        if self.heard:
            return self.heard.popleft()
        raise await self.fault

    async def kill(self) -> None:
        self.killed = True
        if not self.fault.done():
            self.fault.set_result(LineClosed("it was killed"))


class Deaf(Faulty):
    """A line whose network is gone: it takes nothing, tells nothing and cannot be closed."""

    @override
    async def send(self, message: ToWorker) -> None:
        await asyncio.Event().wait()

    @override
    async def kill(self) -> None:
        await asyncio.Event().wait()


@pytest.fixture
def lines() -> list[Faulty]:
    return []


def keeper(lines: list[Faulty], kind: type[Faulty], *, refusals: int = 0) -> Keeper:
    left = [RuntimeError("the cluster is confused")] * refusals

    async def opened(spec: Spec) -> Faulty:
        if left:
            raise left.pop()
        lines.append(kind())
        return lines[-1]

    return Keeper(Spec("one"), opened, QUICK, lambda *_: None)


def order(folder: Path) -> Run:
    return Run("run-1", {}, "ada", str(folder), str(folder), str(folder))


@pytest.mark.parametrize("fault", [FrameError("it holds no message"), KeyError("a bug")])
async def test_a_line_with_a_fault_costs_its_worker_and_not_its_keeper(
    lines: list[Faulty], tmp_path: Path, fault: Exception
) -> None:
    kept = keeper(lines, Faulty)
    kept.start()
    await eventually(lambda: kept.state == "idle")
    running = asyncio.create_task(kept.run(order(tmp_path), lambda _: None))
    await eventually(lambda: kept.state == "busy")
    lines[0].fault.set_result(fault)
    with pytest.raises(WorkerLost, match="cannot be listened to"):
        await asyncio.wait_for(running, 5)
    assert lines[0].killed
    await eventually(lambda: len(lines) == 2 and kept.state == "idle")
    await kept.stop(hurry=True, seconds=0.0)


async def test_a_start_that_goes_wrong_is_tried_again(lines: list[Faulty]) -> None:
    kept = keeper(lines, Faulty, refusals=2)
    kept.start()
    await eventually(lambda: kept.state == "idle")
    assert kept.restarts == 2
    assert not kept.unready
    await kept.stop(hurry=True, seconds=0.0)


async def test_a_worker_that_cannot_be_reached_is_let_go_with_its_run(
    lines: list[Faulty], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FAREWELL_SECONDS", 0.05)
    kept = keeper(lines, Deaf)
    kept.start()
    await eventually(lambda: kept.state == "idle")
    running = asyncio.create_task(kept.run(order(tmp_path), lambda _: None))
    await eventually(lambda: kept.state == "busy")
    await asyncio.wait_for(kept.cancel(0.01), 5)
    await asyncio.wait_for(kept.stop(hurry=True, seconds=0.0), 5)
    with pytest.raises(WorkerLost) as lost:
        await asyncio.wait_for(running, 5)
    assert lost.value.code == "stopped"
