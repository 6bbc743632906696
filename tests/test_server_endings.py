"""A whole server on a machine that fails it: locks, full disks, clocks, and ends of all kinds."""

import json
import resource
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TextIO

import pytest
from typing_extensions import override

from .raw import send
from .serving import Served
from .test_server_tenants import Tenant, inhabit

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits other processes")
Json = dict[str, Any]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data = tmp_path_factory.mktemp("endings") / "data"
    with Served(data, options=("--workers", "1")) as server:
        server.call("POST", "/api/v1/jobs?wait=60", {"document": node("Add")})
        yield server


def node(kind: str, **inputs: Any) -> Json:
    return {
        "darkroom": 1,
        "nodes": {"a": {"type": kind, "inputs": inputs}},
        "outputs": {"value": {"node": "a", "output": "value"}},
    }


def submit(served: Served, document: Json) -> str:
    status, told = served.call("POST", "/api/v1/jobs", {"document": document})
    assert status == 201, told
    return str(told["id"])


def until(condition: Callable[[], bool], patience: float = 20.0) -> None:
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def state(served: Served, job: str) -> str:
    return str(served.call("GET", f"/api/v1/jobs/{job}")[1]["state"])


def health(served: Served) -> Json:
    status, told = served.call("GET", "/api/v1/health")
    assert status == 200
    return dict(told)


@contextmanager
def full_disk(served: Served) -> Iterator[None]:
    """No file of the server can grow."""
    assert served.process is not None
    pid = served.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1024, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@contextmanager
def lock(served: Served) -> Iterator[None]:
    """Another program writes into the database, and takes its time."""
    with closing(sqlite3.connect(served.data / "darkroom.db", timeout=30)) as other:
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_a_second_server_on_the_database_is_refused(served: Served) -> None:
    second = Served(served.data)
    with pytest.raises(AssertionError, match="in use by process"):
        second.start()
    second.close()
    assert second.process is not None
    assert served.process is not None
    assert second.process.wait(10) != 0
    assert str(served.process.pid) in second.log()
    assert "Traceback" not in second.log()
    assert health(served)["status"] == "ok"


def test_a_short_lock_on_the_database_only_delays(served: Served) -> None:
    holding = threading.Event()

    def hold() -> None:
        with lock(served):
            holding.set()
            time.sleep(1.0)

    other = threading.Thread(target=hold)
    other.start()
    holding.wait(10)
    job = submit(served, node("Add", a=5.0))
    other.join()
    assert served.finished(job)["state"] == "succeeded"


def test_a_long_lock_is_told_and_loses_nothing(served: Served) -> None:
    job = submit(served, node("Wait", seconds=0.5))
    until(lambda: state(served, job) == "running")
    with lock(served):
        status, told = served.call("POST", "/api/v1/jobs", {"document": node("Add")})
        assert status == 503, told
        assert "lock" in told["detail"]
        told = health(served)
        assert (told["status"], told["fault"]) == ("degraded", "database_busy")
        assert state(served, job) == "running"
    assert served.finished(job)["state"] == "succeeded"
    until(lambda: health(served)["status"] == "ok")


def test_on_a_full_disk_nothing_acknowledged_is_lost(served: Served) -> None:
    running = submit(served, node("Wait", seconds=1.0))
    waiting = submit(served, node("Add", a=7.0))
    until(lambda: state(served, running) == "running")
    with full_disk(served):
        status, told = served.call("POST", "/api/v1/jobs", {"document": node("Add")})
        assert status in {503, 507}, told
        assert told["type"].startswith("/api/v1/problems/")
        told = health(served)
        assert told["status"] == "degraded"
        assert told["fault"] in {"database_full", "database_fault"}
        status, told = send(
            served, "POST", "/api/v1/uploads?name=a.png", b"\x89PNG\r\n\x1a\n" + b" " * 5000 + b"{}",
            {"Content-Type": "image/png"},
        )  # fmt: skip
        assert (status, told["code"]) == (507, "disk_full")
        large = {**node("Add"), "meta": {"note": "x" * 5000}}
        status, told = served.call("PUT", "/api/v1/workflows/large", large)
        assert (status, told["code"]) == (507, "disk_full")
        assert served.call("GET", "/api/v1/workflows/large")[0] == 404
        time.sleep(1.5)
        assert state(served, running) == "running"
        assert state(served, waiting) == "queued"
    assert served.finished(running)["state"] == "succeeded"
    assert served.finished(waiting)["state"] == "succeeded"
    until(lambda: health(served)["status"] == "ok")
    inputs = served.data / "inputs"
    assert not list(inputs.glob("*")) or not list(inputs.glob(".uploading*"))


def test_a_job_whose_results_find_no_room_says_so(served: Served) -> None:
    outputs = served.data / "outputs"
    outputs.mkdir(exist_ok=True)
    ended = served.finished(submit(served, node("Fail", how="disk", number=3.0)))
    assert ended["state"] == "failed"
    assert "No space left" in ended["error"]["detail"]


class Unlogged(Served):
    """A server whose log finds no room."""

    @override
    def _opened(self, log: TextIO) -> Any:
        with Path("/dev/full").open("w") as full:
            return super()._opened(full)


def test_an_idle_server_ends_at_once_and_a_full_log_stops_nobody(tmp_path: Path) -> None:
    with Unlogged(tmp_path / "data", options=("--workers", "1", "--log-level", "debug")) as served:
        job = submit(served, node("Harm", how="kill"))
        assert served.finished(job, 60)["error"]["code"] == "worker_died"
        began = time.monotonic()
        status = served.stop()
        assert time.monotonic() - began < 4
        assert status == 0


def test_a_job_goes_on_after_the_server_was_stopped(tmp_path: Path) -> None:
    document = {
        "darkroom": 1,
        "nodes": {
            "first": {"type": "Slow", "inputs": {"number": 5.0, "steps": 2}},
            "gate": {"type": "HarmOnce", "inputs": {"file": str(tmp_path / "gate")}},
            "long": {"type": "Wait", "inputs": {"seconds": 3.0}},
        },
        "outputs": {
            "first": {"node": "first", "output": "value"},
            "long": {"node": "long", "output": "value"},
        },
    }
    options = ("--workers", "1", "--stop-grace-seconds", "0.2")
    with Served(tmp_path / "data", options=options) as served:
        job = submit(served, document)
        until(lambda: "node.started" in kinds(served, job, "long"), 60)
        assert served.stop() == 0
        served.start()
        ended = served.finished(job, 60)
        assert (ended["state"], ended["attempt"]) == ("succeeded", 2)
        _, told = served.call("GET", f"/api/v1/jobs/{job}/nodes")
        assert {each["node"]: each["state"] for each in told["nodes"]}["first"] == "stored"
        assert served.process is not None
        served.process.send_signal(signal.SIGINT)
        assert served.process.wait(10) == 0
    with closing(sqlite3.connect(served.data / "darkroom.db")) as connection:
        found = connection.execute(
            "select type, count(*) from events where job = ? and type like 'job.%' group by type",
            (job,),
        )
        assert dict(found.fetchall()) == {
            "job.queued": 1, "job.started": 2, "job.requeued": 1, "job.succeeded": 1,
        }  # fmt: skip


def kinds(served: Served, job: str, name: str) -> list[str]:
    """The latest event of a node, by the job's progress."""
    _, told = served.call("GET", f"/api/v1/jobs/{job}")
    progress = told["progress"] or {}
    return ["node.started"] if progress.get("node") == name else []


_CLOCK = """
import os, time
_real = time.time
def _shifted():
    try:
        with open(os.environ["SHIFT"]) as file:
            return _real() + float(file.read() or 0)
    except (OSError, ValueError):
        return _real()
time.time = _shifted
"""


def test_a_clock_that_jumps_disturbs_neither_order_nor_events(tmp_path: Path) -> None:
    shift, folder = tmp_path / "shift", tmp_path / "clock"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_CLOCK)
    shift.write_text("0")
    tokens = inhabit(tmp_path / "data")
    environment = {"SHIFT": str(shift), "PYTHONPATH": str(folder)}
    day = 86400.0
    with Served(tmp_path / "data", options=("--workers", "1"), environment=environment) as served:
        root, brief = Tenant(served, tokens["root"]), Tenant(served, tokens["brief"])
        root("POST", "/api/v1/queue/pause")
        made = []
        for hours in (0, 48, -24 * 365, 24 * 365):
            shift.write_text(str(hours * 3600.0))
            status, told = root("POST", "/api/v1/jobs", {"document": node("Add", a=float(hours))})
            assert status == 201
            made.append(told["id"])
            assert brief("GET", "/api/v1/jobs")[0] == (200 if hours <= 0 else 401)
        _, listed = root("GET", "/api/v1/jobs?queue=true")
        assert [job["id"] for job in listed["jobs"]] == made
        served.kill()
        shift.write_text(str(-400 * day))
        served.start()
        root = Tenant(served, tokens["root"])
        _, listed = root("GET", "/api/v1/jobs?queue=true")
        assert [job["id"] for job in listed["jobs"]] == made
        root("POST", "/api/v1/queue/resume")
        ended = [root("GET", f"/api/v1/jobs/{job}?wait=30")[1] for job in made]
        assert {job["state"] for job in ended} == {"succeeded"}
        assert all(json.dumps(job["seconds"]) != "null" for job in ended)
        assert served.stop() == 0
    with closing(sqlite3.connect(tmp_path / "data" / "darkroom.db")) as connection:
        queued, ends = (
            [row[0] for row in connection.execute(
                "select job from events where type = ? order by id", (kind,)
            )]
            for kind in ("job.queued", "job.succeeded")
        )  # fmt: skip
    assert ends == made
    assert queued == made[: len(queued)]  # the kill may have been before they were written down
