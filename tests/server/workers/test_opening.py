import asyncio
from pathlib import Path

import pytest

from engine.errors import InputError
from engine.machine import total_memory
from server.settings import Settings
from server.workers.messages import Run
from server.workers.opening import open_pool, specs

from .conftest import eventually, graph


@pytest.mark.parametrize(
    ("named", "devices"),
    [
        ("auto", []),
        ("", []),
        ("2", ["", ""]),
        ("cpu", ["cpu"]),
        ("cuda:0, cuda:1", ["cuda:0", "cuda:1"]),
        ("cpu,auto", ["cpu", ""]),
    ],
)
def test_a_setting_names_workers(named: str, devices: list[str]) -> None:
    found = specs(named)
    assert [spec.device for spec in found] == devices
    assert len({spec.id for spec in found}) == len(found)


@pytest.mark.parametrize("named", ["0", "65", "-1", "gpu", "cuda:x", "cpu,,cpu", "ray2", "1.5"])
def test_a_setting_that_names_none_is_refused(named: str) -> None:
    with pytest.raises(InputError) as refused:
        specs(named)
    assert refused.value.code == "bad_workers"


def test_settings_say_when_a_worker_is_replaced(tmp_path: Path) -> None:
    care = open_pool(Settings(data=tmp_path)).care
    assert (care.stall, care.most_runs) == (3600, None)
    assert care.most_bytes == total_memory() * 3 // 4
    care = open_pool(
        Settings(data=tmp_path, stall_seconds=90, worker_runs=5, worker_memory=1000)
    ).care
    assert (care.stall, care.most_runs, care.most_bytes) == (90, 5, 1000)


async def test_the_first_worker_says_which_devices_there_are(tmp_path: Path) -> None:
    pool = open_pool(Settings(data=tmp_path, nodes="tests.toys"))
    await pool.start()
    try:
        await eventually(lambda: pool.workers[0].state == "idle")
        (view,) = pool.workers
        assert view.device == "cpu"
        folder = str(tmp_path)
        run = Run("run", graph("Add", {"a": 2}), "local", folder, folder, folder)
        done = await pool.run(view.id, run, lambda _: None)
        assert done.outputs == {"out": {"value": 2.0}}
    finally:
        await asyncio.wait_for(pool.stop(hurry=True), 20)
