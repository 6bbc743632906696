import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.errors import InputError
from server.workers.cluster import Cluster, address_of, specs_of, usable, with_token
from server.workers.line import Line
from server.workers.local import LocalLine
from server.workers.outfit import Outfit
from server.workers.pool import Pool
from server.workers.spec import Care, Spec, WorkerLost

from .conftest import ROOT, Crew, eventually


def node(name: str, **resources: float) -> dict[str, Any]:
    return {"NodeID": f"{name}{name}", "NodeManagerHostname": name, "Resources": resources}


@pytest.mark.parametrize(
    ("workers", "address"),
    [
        ("ray", None),
        ("ray:auto", "auto"),
        ("ray:10.0.0.1:6379", "10.0.0.1:6379"),
        ("ray://10.0.0.1:10001", "ray://10.0.0.1:10001"),
    ],
)
def test_an_address_is_as_ray_knows_it(workers: str, address: str | None) -> None:
    assert address_of(workers) == address


@pytest.mark.parametrize(
    ("resources", "devices"),
    [
        ({"GPU": 2.0, "CPU": 64.0}, ["cuda", "cuda"]),
        ({"CPU": 9.0}, ["cpu", "cpu"]),
        ({"CPU": 2.0}, ["cpu"]),
        ({"CPU": 0.0}, []),
        ({}, []),
    ],
)
def test_a_machine_holds_a_worker_for_each_gpu_or_for_some_processors(
    resources: dict[str, float], devices: list[str]
) -> None:
    found = list(specs_of(node("a", **resources), 4))
    assert [spec.device for spec in found] == devices
    assert len({spec.id for spec in found}) == len(found)


def test_machines_that_share_no_store_are_refused() -> None:
    nodes = {"a": node("here"), "b": node("there")}
    with pytest.raises(InputError, match="there need a store") as refused:
        usable(nodes, "", "here")
    assert refused.value.code == "no_shared_store"
    assert list(usable(nodes, "s3://bucket", "here")) == ["a", "b"]
    assert list(usable({"a": node("here")}, "", "here")) == ["a"]


def test_a_token_is_shown_if_there_is_one(tmp_path: Path) -> None:
    environment: dict[str, str] = {}
    with_token(environment, lambda: tmp_path)
    assert environment == {}
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("secret", encoding="ascii")
    with_token(environment, lambda: tmp_path)
    assert environment == {"RAY_AUTH_MODE": "token"}
    chosen = {"RAY_AUTH_MODE": "disabled"}
    with_token(chosen, lambda: tmp_path)
    assert chosen == {"RAY_AUTH_MODE": "disabled"}


@pytest.fixture
def raylets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A cluster of one process that rules and works nothing; a test adds machines to it."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    from ray.cluster_utils import Cluster as Raylets

    raylets = Raylets(
        initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}
    )
    yield raylets
    raylets.shutdown()  # type: ignore[no-untyped-call]


@asynccontextmanager
async def crew_over(raylets: Any, folder: Path) -> AsyncIterator[Crew]:
    outfit = Outfit(data=folder / "there", nodes="tests.toys", shared_store=str(folder / "shared"))
    (folder / "shared").mkdir()

    async def desk(spec: Spec) -> Line:
        return await LocalLine.open(spec.id, outfit, {"PYTHONPATH": str(ROOT)})

    cluster = Cluster(f"ray:{raylets.address}", outfit, desk, processors=1)
    changes: list[Any] = []
    pool = Pool(cluster.open, (), care=Care(), on_change=changes.append, follow=cluster.follow)
    await pool.start()
    try:
        yield Crew(folder, pool, changes)
    finally:
        await pool.stop(hurry=True, seconds=5.0)


@pytest.mark.slow
async def test_a_run_survives_the_loss_of_its_machine(raylets: Any, tmp_path: Path) -> None:
    machines = [raylets.add_node(num_cpus=1) for _ in range(2)]
    places = {machine.node_id: machine for machine in machines}
    (tmp_path / "inputs").mkdir()
    (tmp_path / "inputs" / "word.txt").write_text("hello", encoding="ascii")
    document = {
        "darkroom": 1,
        "nodes": {
            "slow": {"type": "Slow", "inputs": {"number": 3.0, "steps": 5}},
            "wait": {"type": "Wait", "inputs": {"seconds": {"$link": ["slow", "value"]}}},
            "look": {"type": "Look", "inputs": {"image": "word.txt"}},
            "write": {
                "type": "Write",
                "inputs": {"text": {"$link": ["look", "value"]}, "name": "got/word"},
            },
        },
        "outputs": {
            "wait": {"node": "wait", "output": "value"},
            "file": {"node": "write", "output": "value"},
        },
    }
    async with crew_over(raylets, tmp_path) as crew:
        first, second = await crew.idle(2, 60)
        assert {first.device, second.device} == {"cpu"}
        running = crew.start(document, first)
        while (await crew.until("node.progressed", 30)).data["node"] != "wait":
            crew.happened.clear()
            await asyncio.sleep(0.05)
        lost = crew.pool.keepers[first.id].spec.place
        await asyncio.to_thread(raylets.remove_node, places[lost], allow_graceful=False)
        with pytest.raises(WorkerLost):
            await running
        done = await crew.pool.run(second.id, crew.order(document), crew.happened.append)
        assert done.state == "succeeded"
        states = {record["node"]: record["state"] for record in done.nodes}
        assert states["slow"] == "stored"
        (file,) = done.outputs["file"]["files"]
        assert (tmp_path / "outputs" / file["path"]).read_text(encoding="utf-8") == "hello"
        await eventually(lambda: len(crew.pool.workers) == 1, 30)
        raylets.add_node(num_cpus=1)
        assert len(await crew.idle(2, 60)) == 2
