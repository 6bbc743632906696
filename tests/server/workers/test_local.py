import asyncio
from collections import deque
from pathlib import Path

import pytest

from server.workers.line import LineClosed
from server.workers.local import LocalLine, closed_by, kernel_kills
from server.workers.messages import Done, Happened, Ready, Run
from server.workers.outfit import Outfit

from .conftest import ROOT, graph


@pytest.mark.parametrize(
    ("status", "ours", "oom", "code", "said"),
    [
        (0, False, False, "died", "status 0: last words"),
        (7, False, False, "died", "status 7"),
        (-9, False, False, "died", "probably because memory ran out"),
        (-9, False, True, "memory", "the system ran out of memory"),
        (-9, True, True, "died", "ended by SIGKILL"),
        (-11, False, False, "died", "SIGSEGV"),
        (-6, True, False, "died", "SIGABRT"),
        (-63, False, False, "died", "signal"),
    ],
)
def test_an_exit_status_says_how_a_worker_ended(
    status: int,
    ours: bool,
    oom: bool,
    code: str,
    said: str,
) -> None:
    closed = closed_by(status, deque(["last words"]), is_ours=ours, oom=oom)
    assert closed.code == code
    assert said in closed.reason


def test_the_kernel_tells_how_many_it_has_killed() -> None:
    assert kernel_kills() >= 0


async def opened(folder: Path, nodes: str = "tests.toys") -> LocalLine:
    return await LocalLine.open("one", Outfit(data=folder, nodes=nodes), {"PYTHONPATH": str(ROOT)})


async def ended(line: LocalLine) -> LineClosed:
    """How the line was closed, once all that was said before was heard."""
    while True:
        try:
            await line.receive()
        except LineClosed as closed:
            return closed


async def test_what_a_worker_logs_is_logged_under_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = await opened(tmp_path)
    assert isinstance(await line.receive(), Ready)
    folder = str(tmp_path)
    await line.send(Run("run", graph("Noise"), "local", folder, folder, folder))
    while not isinstance(await line.receive(), Done):
        pass
    await line.kill()
    assert "SIGKILL" in (await ended(line)).reason
    logged = capsys.readouterr().out
    assert "echo" not in logged
    assert "from a child" in logged
    assert "garbage" in logged
    assert "worker" in logged
    assert "run ended" in logged


async def test_a_worker_that_is_not_listened_to_waits_and_is_whole_again(tmp_path: Path) -> None:
    line = await opened(tmp_path)
    folder = str(tmp_path)
    nodes = {str(i): {"type": "Anything", "inputs": {"value": [i]}} for i in range(1000)}
    outputs = {name: {"node": name, "output": "value"} for name in nodes}
    document = {"darkroom": 1, "nodes": nodes, "outputs": outputs}
    await line.send(Run("run", document, "local", folder, folder, folder))
    await asyncio.sleep(1.0)
    events = 0
    while not isinstance(said := await line.receive(), Done):
        events += isinstance(said, Happened)
    assert said.state == "succeeded"
    assert events == 2 * len(nodes)
    await line.kill()


async def test_speaking_to_a_worker_that_is_gone_is_no_error(tmp_path: Path) -> None:
    line = await opened(tmp_path)
    await line.kill()
    folder = str(tmp_path)
    for _ in range(3):
        await line.send(Run("run", graph("Noise"), "local", folder, folder, folder))
    assert "SIGKILL" in (await ended(line)).reason


async def test_why_a_worker_could_not_start_names_no_folder_of_the_machine(tmp_path: Path) -> None:
    line = await opened(tmp_path, nodes=str(tmp_path / "none"))
    closed = await asyncio.wait_for(ended(line), 20)

    assert "it ended with status" in closed.reason
    assert "'none'" in closed.reason
    assert str(tmp_path) not in closed.reason
