"""The server's start and end, in a process of its own where signals take part."""

import asyncio
import io
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from engine.errors import InputError
from server.access.users import add_user
from server.api.webhooks import Webhooks
from server.app import application, build
from server.database import Database
from server.logs import Steady
from server.serve import serve, warn_of_unknown
from server.settings import Settings
from server.workers.line import Line, LineClosed
from server.workers.pool import Pool
from server.workers.spec import Spec


def settings(tmp_path: Path, **values: Any) -> Settings:
    return Settings(data=tmp_path / "data", nodes="tests.toys", browser=False, port=0, **values)


async def test_what_is_built_can_be_closed_and_built_again(tmp_path: Path) -> None:
    for _ in range(2):
        service = await build(settings(tmp_path))
        application(service)
        await service.stop()


def test_misspelt_variables_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_MAXBODY", "32MB")
    monkeypatch.setenv("DARKROOM_SERVER", "http://127.0.0.1:1")
    with capture_logs() as logged:
        warn_of_unknown()
    assert [line["variable"] for line in logged] == ["DARKROOM_MAXBODY"]


async def test_a_second_server_is_refused_and_leaves_the_first_alone(tmp_path: Path) -> None:
    first = await build(settings(tmp_path))
    try:
        with pytest.raises(InputError, match="in use") as raised:
            await build(settings(tmp_path))
        assert raised.value.code == "database_in_use"
        assert (await first.jobs.counts())["queued"] == 0
    finally:
        await first.stop()


async def test_a_door_is_not_left_open(tmp_path: Path) -> None:
    open_to_all = settings(tmp_path, host="0.0.0.0")  # noqa: S104 - which is refused
    with pytest.raises(InputError) as raised:
        await build(open_to_all)
    assert raised.value.code == "open_door"
    database = Database.open(str(tmp_path / "data" / "darkroom.db"))  # it was let go of
    await database.write(lambda connection: add_user(connection, "ada", ("read",)))
    database.close()
    service = await build(open_to_all)
    await service.stop()


async def test_policies_follow_the_settings(tmp_path: Path) -> None:
    service = await build(
        settings(tmp_path, results="private", cancel_grace_seconds=3, stop_grace_seconds=4)
    )
    policy = service.dispatcher.policy
    assert (policy.private_results, policy.cancel_grace, policy.stop_grace) == (True, 3, 4)
    await service.stop()


@pytest.fixture
def unlogged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the test's own logs as they are."""
    monkeypatch.setattr("server.serve.configure", lambda *_: None)


@pytest.mark.usefixtures("unlogged")
async def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = settings(tmp_path).model_copy(update={"port": other.getsockname()[1]})
        with pytest.raises(InputError) as raised:
            await asyncio.wait_for(serve(taken), 60)
    assert raised.value.code == "address_in_use"
    Database.open(str(tmp_path / "data" / "darkroom.db")).close()


@pytest.mark.usefixtures("unlogged")
async def test_the_borders_end_before_the_database_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends: list[str] = []

    def noted(kind: type, name: str, end: str) -> None:
        real = getattr(kind, name)

        def call(self: Any, *arguments: Any, **rest: Any) -> Any:
            ends.append(end)
            return real(self, *arguments, **rest)

        monkeypatch.setattr(kind, name, call)

    noted(Pool, "stop", "workers")
    noted(Webhooks, "stop", "webhooks")
    noted(Database, "close", "database")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = settings(tmp_path).model_copy(update={"port": other.getsockname()[1]})
        with pytest.raises(InputError):
            await asyncio.wait_for(serve(taken), 60)
    assert ends == ["workers", "webhooks", "database"]


@pytest.mark.usefixtures("unlogged")
async def test_a_certificate_that_is_none_is_told(tmp_path: Path) -> None:
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).write_text("nonsense")
    with pytest.raises(InputError) as raised:
        await asyncio.wait_for(
            serve(settings(tmp_path, tls_cert=tmp_path / "cert.pem", tls_key=tmp_path / "key.pem")),
            60,
        )
    assert raised.value.code == "bad_certificate"


async def test_a_server_that_stops_answers_that_it_does(
    tmp_path: Path, aiohttp_client: Any
) -> None:
    service = await build(settings(tmp_path))
    client = await aiohttp_client(application(service))
    assert (await client.get("/api/v1/health")).status == 200
    await service.stop()
    told = await client.get("/api/v1/health")
    assert (await told.json())["status"] == "stopping"
    for method, path, body in [
        ("GET", "/api/v1/jobs", None),
        ("GET", "/api/v1/queue", None),
        ("POST", "/api/v1/jobs", {"document": {"darkroom": 1, "nodes": {}}}),
    ]:
        answer = await client.request(method, path, json=body)
        assert answer.status in {422, 503}, await answer.text()
        if body is None:
            assert answer.status == 503


async def test_health_tells_when_nothing_can_be_written(
    tmp_path: Path, aiohttp_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = await build(settings(tmp_path))
    client = await aiohttp_client(application(service))
    dialect = service.database.writing.dialect
    full = [True]

    def do_commit(connection: Any) -> None:
        if full:
            error: Any = dialect.loaded_dbapi.OperationalError("database or disk is full")
            error.sqlite_errorname = "SQLITE_FULL"
            raise error
        connection.commit()

    monkeypatch.setattr(dialect, "do_commit", do_commit)
    paused = await client.post("/api/v1/queue/pause")
    assert paused.status == 507
    told = await (await client.get("/api/v1/health")).json()
    assert (told["status"], told["fault"]) == ("degraded", "database_full")
    assert str(tmp_path) not in json.dumps(told)
    assert service.dispatcher.paused is False
    full.clear()
    told = await (await client.get("/api/v1/health")).json()
    assert told["fault"] is None
    await service.stop()


async def test_health_tells_why_no_worker_can_be_started(
    tmp_path: Path, aiohttp_client: Any
) -> None:
    service = await build(settings(tmp_path, workers="cuda:0"))

    async def opened(spec: Spec) -> Line:
        raise LineClosed(f"it ended with status 3: {tmp_path}/data/models is not there")

    service.pool.opener = opened
    client = await aiohttp_client(application(service))
    before = await (await client.get("/api/v1/health")).json()
    await service.pool.start()
    async with asyncio.timeout(20):
        while service.pool.fault is None:  # noqa: ASYNC110 - what it waits for tells nobody
            await asyncio.sleep(0.01)
    told = await (await client.get("/api/v1/health")).json()
    await service.stop()

    assert (before["status"], before["fault"]) == ("starting", None)
    assert (told["status"], told["workers"]) == ("degraded", 0)
    reason = "it ended with status 3: models is not there"
    assert told["fault"] == f"no worker can be started: {reason}"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such device")
def test_a_full_disk_under_the_log_is_no_fault() -> None:
    with open("/dev/full", "w", buffering=1) as full:  # noqa: PTH123
        stream = Steady(full)
        stream.write("told to nobody\n")
        stream.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())
    kept = io.StringIO()
    Steady(kept).write("told\n")
    assert kept.getvalue() == "told\n"
