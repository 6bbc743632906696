import asyncio
import platform
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine.errors import InputError
from server.workers import cluster as module
from server.workers.cluster import Cluster, RayLine, address_of, specs_of, usable, with_token
from server.workers.hosted import unframed
from server.workers.line import Line, LineClosed
from server.workers.local import LocalLine
from server.workers.messages import Lent, Run
from server.workers.outfit import Outfit
from server.workers.pool import Pool
from server.workers.spec import Care, Spec, WorkerLost
from tests.serving import Served, free_port

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


class Call:
    """A method of an actor, which answers at once."""

    def __init__(self, answer: Any = None) -> None:
        self.answer, self.given = answer, list[Any]()

    def remote(self, *arguments: Any) -> Any:
        self.given += arguments
        done: Future[Any] = Future()
        done.set_result(self.answer)
        return SimpleNamespace(future=lambda: done)


@pytest.fixture
def ray() -> Any:
    killed: list[Any] = []
    errors = SimpleNamespace(RayError=type("RayError", (Exception,), {}))
    return SimpleNamespace(exceptions=errors, kill=killed.append, killed=killed)


async def test_an_actor_that_talks_nonsense_is_ended(ray: Any) -> None:
    actor = SimpleNamespace(listen=Call([b"nonsense"]))
    with pytest.raises(LineClosed, match="protocol"):
        await RayLine(ray, actor).receive()
    assert ray.killed == [actor]


async def test_files_are_read_for_a_run_beside_the_loop(
    ray: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "word.txt").write_bytes(b"hello")
    threads = []
    reading = Path.read_bytes

    def read_bytes(path: Path) -> bytes:
        threads.append(threading.current_thread())
        return reading(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    actor = SimpleNamespace(hear=Call())
    folder = str(tmp_path)
    run = Run("run", {"text": "word.txt"}, "ann", folder, folder, folder)
    await RayLine(ray, actor).send(run)
    assert [unframed(frame) for frame in actor.hear.given] == [
        Lent("run", "word.txt", b"hello"),
        run,
    ]
    assert threading.main_thread() not in threads


class Machines:
    """Ray, whose cluster can be reached until a test says otherwise."""

    def __init__(self) -> None:
        self.is_gone = self.is_shut = False

    def nodes(self) -> list[dict[str, Any]]:
        if self.is_gone:
            raise ConnectionError("the client is disconnected")
        return [node(platform.node(), CPU=1.0) | {"Alive": True}]

    def shutdown(self) -> None:
        self.is_shut = True


async def test_a_cluster_whose_head_restarts_is_connected_to_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made: list[Machines] = []

    def connected(address: str) -> Machines:
        made.append(Machines())
        return made[-1]

    async def desk(spec: Spec) -> Line:
        raise LineClosed("a test does without")

    added: list[str] = []
    pool: Any = SimpleNamespace(closing=[], trouble="", add=lambda spec: added.append(spec.id))
    monkeypatch.setattr(module, "connected", connected)
    monkeypatch.setattr(module, "NODES_SECONDS", 0.01)
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)
    cluster = Cluster("ray:auto", Outfit(data=tmp_path, nodes="tests.toys"), desk)
    following = asyncio.create_task(cluster.follow(pool))
    await eventually(lambda: bool(added))
    made[0].is_gone = True
    await eventually(lambda: len(made) == 2)
    assert made[0].is_shut
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
    await cluster.close()
    assert made[1].is_shut


async def test_a_cluster_that_cannot_be_reached_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connected(*_: Any) -> Any:
        raise ConnectionError("nobody answers at 10.0.0.1:6379")

    async def desk(spec: Spec) -> Line:
        raise LineClosed("a test does without")

    monkeypatch.setattr(module, "connected", connected)
    cluster = Cluster("ray:10.0.0.1:6379", Outfit(data=tmp_path, nodes="tests.toys"), desk)
    pool = Pool(cluster.open, follow=cluster.follow)
    assert pool.fault is None
    await pool.start()
    try:
        await eventually(lambda: pool.fault is not None)
        assert pool.fault == "no worker can be started: nobody answers at 10.0.0.1:6379"
    finally:
        await pool.stop(hurry=True)


def test_a_cluster_that_does_not_answer_keeps_no_program_from_ending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answered = threading.Event(), threading.Event()

    def connected(*_: Any) -> Any:
        asked.set()
        answered.wait(20)
        raise ConnectionError("too late")

    async def desk(spec: Spec) -> Line:
        raise LineClosed("a test does without")

    async def briefly() -> None:
        pool = Pool(cluster.open, follow=cluster.follow)
        await pool.start()
        await asyncio.to_thread(asked.wait, 10)
        await pool.stop(hurry=True)

    monkeypatch.setattr(module, "connected", connected)
    cluster = Cluster("ray:10.0.0.1:6379", Outfit(data=tmp_path, nodes="tests.toys"), desk)
    began = time.monotonic()
    asyncio.run(briefly())
    assert time.monotonic() - began < 10
    answered.set()


@pytest.fixture
def raylets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A cluster of one process that rules and works nothing; a test adds machines to it."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    from ray.cluster_utils import Cluster as Raylets

    raylets: Any = Raylets(
        initialize_head=True,
        head_node_args={
            "num_cpus": 0, "include_dashboard": False, "ray_client_server_port": free_port(),
        },
    )  # fmt: skip
    yield raylets
    raylets.shutdown()


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


# Ray leaves files of its own open.
leaky = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@leaky
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


@leaky
@pytest.mark.slow
def test_the_server_runs_jobs_on_two_machines_and_one_may_go(raylets: Any, tmp_path: Path) -> None:
    machines = [raylets.add_node(num_cpus=2) for _ in range(2)]
    port = raylets.head_node._ray_params.ray_client_server_port
    shared = tmp_path / "shared"
    shared.mkdir()
    document = {
        "darkroom": 1,
        "nodes": {"slow": {"type": "Slow", "inputs": {"number": 3.0, "steps": 60}}},
        "outputs": {"end": {"node": "slow", "output": "value"}},
    }
    options = ("--workers", f"ray://127.0.0.1:{port}", "--shared-store", str(shared))
    with Served(tmp_path / "data", options=options) as served:
        status, job = served.call("POST", "/api/v1/jobs", {"document": document})
        assert status == 201, job
        while served.call("GET", f"/api/v1/jobs/{job['id']}")[1]["state"] == "queued":
            time.sleep(0.1)
        assert len(served.call("GET", "/api/v1/workers")[1]["workers"]) == 2
        raylets.remove_node(machines[0], allow_graceful=False)
        ended = served.call("GET", f"/api/v1/jobs/{job['id']}?wait=60")[1]
        assert ended["state"] == "succeeded", ended
