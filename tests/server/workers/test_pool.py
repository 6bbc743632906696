import asyncio
import os
import shutil
from pathlib import Path

import pytest
from typing_extensions import override

from server.workers.line import Line, LineClosed
from server.workers.messages import FromWorker, Ready
from server.workers.spec import Care, Spec, WorkerLost

from .conftest import ROOT, Hire, Silent, eventually, graph

QUICK = Care(first_pause=0.05, longest_pause=0.2, tick=0.05)


async def test_a_run_gives_its_outputs_and_tells_of_its_nodes(hire: Hire) -> None:
    async with hire() as crew:
        done = await crew.run(graph("Add", {"a": 1, "b": 2}))
        assert done.state == "succeeded"
        assert done.outputs == {"out": {"value": 3.0}}
        assert [event.type for event in crew.happened] == ["node.started", "node.finished"]


async def test_two_workers_run_two_runs_at_once(hire: Hire) -> None:
    async with hire("one", "two") as crew:
        one, two = await crew.idle(2)
        slow = crew.start(graph("Wait", {"seconds": 30}), one)
        done = await crew.pool.run(two.id, crew.order(graph("Pid")), crew.happened.append)
        assert done.outputs["out"]["value"] == two.pid
        assert not slow.done()
        assert {view.state for view in crew.pool.workers} == {"busy", "idle"}
        await crew.pool.cancel("run-1", 10.0)
        assert (await slow).state == "cancelled"


async def test_a_worker_that_a_node_ends_is_lost_and_replaced(hire: Hire) -> None:
    reasons = {
        "kill": "SIGKILL, probably because memory ran out",
        "segfault": "SIGSEGV",
        "abort": "SIGABRT",
        "exit": "status 7",
    }
    async with hire(care=QUICK) as crew:
        for how, said in reasons.items():
            with pytest.raises(WorkerLost, match=said) as lost:
                await crew.run(graph("Harm", {"how": how}))
            assert lost.value.code == "died"
            done = await crew.run(graph("Add", {"a": 1, "b": 2}))
            assert done.state == "succeeded"
        assert crew.pool.workers[0].restarts == len(reasons)


@pytest.mark.parametrize(("how", "code"), [("leave", "node_failed"), ("memory", "out_of_memory")])
async def test_a_node_that_cannot_end_its_worker_fails_its_run(
    hire: Hire, how: str, code: str
) -> None:
    async with hire() as crew:
        before = (await crew.idle())[0].pid
        done = await crew.run(graph("Harm", {"how": how}))
        assert done.state == "failed"
        assert done.error is not None
        assert done.error["code"] == code
        assert done.error["problems"][0]["node"] == "node"
        assert [record["state"] for record in done.nodes] == ["failed"]
        assert (await crew.idle())[0].pid == before


async def test_what_nodes_print_does_not_break_the_line(hire: Hire) -> None:
    async with hire() as crew:
        done = await crew.run(graph("Noise", {"number": 4}))
        assert done.outputs == {"out": {"value": 4.0}}


async def test_a_worker_without_a_beat_is_ended_as_hung(hire: Hire) -> None:
    care = Care(first_pause=0.05, tick=0.05, beat=2.5)
    async with hire(care=care) as crew:
        with pytest.raises(WorkerLost, match="no sign of life") as lost:
            await crew.run(graph("Harm", {"how": "lock"}))
        assert lost.value.code == "hung"
        assert (await crew.run(graph("Add"))).state == "succeeded"


async def test_a_run_without_progress_is_ended_if_that_is_asked(hire: Hire) -> None:
    care = Care(first_pause=0.05, tick=0.05, stall=1.0)
    async with hire(care=care) as crew:
        assert (await crew.run(graph("Wait", {"seconds": 1.5}))).state == "succeeded"
        with pytest.raises(WorkerLost, match="no progress") as lost:
            await crew.run(graph("Deaf"))
        assert lost.value.code == "hung"


async def test_a_node_that_does_not_yield_loses_its_worker_when_cancelled(hire: Hire) -> None:
    async with hire(care=QUICK) as crew:
        (view,) = await crew.idle()
        running = crew.start(graph("Deaf"), view)
        await crew.until("node.started")
        await crew.pool.cancel("run-1", 0.2)
        with pytest.raises(WorkerLost) as lost:
            await running
        assert lost.value.code == "stopped"
        assert (await crew.idle())[0].pid != view.pid


async def test_a_cancellation_reaches_no_later_run(hire: Hire) -> None:
    async with hire() as crew:
        (view,) = await crew.idle()
        running = crew.start(graph("Wait", {"seconds": 30}), view)
        await crew.until("node.started")
        await crew.pool.cancel("run-1", 10.0)
        assert (await running).state == "cancelled"
        await crew.pool.cancel("run-1", 10.0)
        assert (await crew.run(graph("Wait", {"seconds": 0.1}))).state == "succeeded"


async def test_a_worker_that_cannot_start_is_lost_with_the_reason_and_does_not_spin(
    hire: Hire,
) -> None:
    starts = 0

    async def broken(spec: Spec) -> Line:
        nonlocal starts
        starts += 1
        raise LineClosed("there is no such thing")

    async with hire(care=Care(first_pause=0.2, longest_pause=0.4), opener=broken) as crew:
        await asyncio.sleep(1.0)
        (view,) = crew.pool.workers
        assert (view.state, view.reason) == ("lost", "there is no such thing")
        assert starts <= 2 * 5  # of the desk and of the worker: at 0, 0, 0.2, 0.6 and 1.0 s


async def test_a_missing_node_package_is_the_reason(hire: Hire) -> None:
    async with hire(care=QUICK, nodes="nowhere", desk=True) as crew:
        for view in (lambda: crew.pool.workers[0], lambda: crew.pool.desk.view):
            await eventually(lambda view=view: "no node package 'nowhere'" in view().reason)  # type: ignore[misc]
        with pytest.raises(WorkerLost, match="nowhere"):
            await crew.pool.ask("catalogue", seconds=0.1)


async def test_the_desk_answers_while_every_worker_is_busy(hire: Hire) -> None:
    async with hire(desk=True) as crew:
        (view,) = await crew.idle()
        running = crew.start(graph("Wait", {"seconds": 30}), view)
        answer = await crew.pool.ask("check", document=graph("Add", {"a": "x"}))
        assert answer.value["problems"][0]["node"] == "node"
        assert not running.done()
        await crew.pool.cancel("run-1", 10.0)
        await running


async def test_a_desk_that_is_killed_is_asked_again(hire: Hire) -> None:
    async with hire(care=QUICK, desk=True) as crew:
        await crew.pool.ask("sources")
        os.kill(crew.pool.desk.view.pid, 9)
        answer = await crew.pool.ask("sources")
        assert answer.value == [str(ROOT / "tests" / "toys")]


async def test_a_worker_is_replaced_after_so_many_runs(hire: Hire) -> None:
    async with hire(care=Care(most_runs=2)) as crew:
        pids = [(await crew.run(graph("Pid"))).outputs["out"]["value"] for _ in range(4)]
        assert pids[0] == pids[1] != pids[2] == pids[3]


async def test_a_worker_that_has_grown_is_replaced(hire: Hire) -> None:
    async with hire(care=Care(most_bytes=300 * 2**20)) as crew:
        (view,) = await crew.idle()
        document = graph("Grow", {"megabytes": 400})
        document["nodes"]["wait"] = {"type": "Wait", "inputs": {"seconds": 1.2}}
        document["outputs"]["waited"] = {"node": "wait", "output": "value"}
        await crew.run(document)
        assert (await crew.idle())[0].pid != view.pid


async def test_changed_nodes_replace_idle_workers_and_those_that_are_busy_after_their_run(
    hire: Hire, tmp_path: Path
) -> None:
    package = tmp_path / "craft"
    shutil.copytree(ROOT / "tests" / "toys", package)
    path = f"{tmp_path}{os.pathsep}{ROOT}"
    async with hire(
        "one", "two", nodes="craft", path=path, care=Care(reload=0.1), desk=True
    ) as crew:
        one, two = await crew.idle(2)
        await crew.pool.ask("sources")
        before = crew.pool.catalogue
        running = crew.start(graph("Wait", {"seconds": 60}), one)
        await eventually(lambda: bool(crew.pool.sources))
        making = package / "making.py"
        making.write_text(
            making.read_text(encoding="utf-8").replace("Add two numbers.", "Join two numbers."),
            encoding="utf-8",
        )
        await eventually(lambda: crew.pool.catalogue != before)
        assert "catalogue" in crew.changes
        await eventually(lambda: crew.pool.workers[1].pid not in {0, two.pid})
        assert not running.done()
        await crew.pool.cancel("run-1", 30.0)
        assert (await running).state == "cancelled"
        assert {view.pid for view in await crew.idle(2)}.isdisjoint({one.pid, two.pid})


async def test_stopping_lets_the_run_finish(hire: Hire) -> None:
    async with hire() as crew:
        (view,) = await crew.idle()
        running = crew.start(graph("Wait", {"seconds": 0.5}), view)
        await crew.until("node.started")
        await crew.pool.stop()
        assert (await running).state == "succeeded"


async def test_stopping_in_a_hurry_stops_the_run(hire: Hire) -> None:
    async with hire() as crew:
        (view,) = await crew.idle()
        running = crew.start(graph("Wait", {"seconds": 30}), view)
        await crew.until("node.started")
        await crew.pool.stop(hurry=True)
        assert (await running).state == "cancelled"


async def test_stopping_kills_what_does_not_end(hire: Hire) -> None:
    async with hire() as crew:
        (view,) = await crew.idle()
        running = crew.start(graph("Deaf"), view)
        await crew.until("node.started")
        await crew.pool.stop(hurry=True, seconds=0.3)
        with pytest.raises(WorkerLost) as lost:
            await running
        assert lost.value.code == "stopped"


async def test_previews_are_asked_for_and_no_longer(hire: Hire) -> None:
    async with hire() as crew:
        (view,) = await crew.idle()
        running = crew.start(graph("Wait", {"seconds": 30}), view)
        await crew.until("node.progressed")
        await crew.pool.watch("run-1", previews=True)
        await crew.pool.watch("another", previews=True)
        await crew.pool.cancel("run-1", 10.0)
        assert (await running).state == "cancelled"


class Prompt(Silent):
    """A line whose worker is ready at once."""

    def __init__(self) -> None:
        super().__init__()
        self.said = False

    @override
    async def receive(self) -> FromWorker:
        if self.said:
            return await super().receive()
        self.said = True
        return Ready(1, "cpu", ("cpu",), "c", {}, "here")


async def test_that_no_worker_can_start_is_told_until_one_does(hire: Hire) -> None:
    broken = {"one", "two"}

    async def opened(spec: Spec) -> Line:
        if spec.id in broken:
            raise LineClosed("there is no such device")
        return Prompt()

    care = Care(first_pause=0.01, longest_pause=0.02)
    async with hire("one", "two", opener=opened, care=care) as crew:
        await eventually(lambda: crew.pool.fault is not None)
        assert crew.pool.fault == "no worker can be started: there is no such device"
        broken.discard("two")
        await crew.idle()
        assert crew.pool.fault is None
