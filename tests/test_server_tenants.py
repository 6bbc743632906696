"""Two users on one server: nothing of the one is the other's."""

import asyncio
import json
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from server.access.tokens import add_token
from server.access.users import add_user
from server.database import Database

from .raw import connect, open_websocket, send
from .serving import Served

Json = dict[str, Any]
PICTURE = b"\x89PNG\r\n\x1a\n{}"


@dataclass
class Tenant:
    """A user with a token."""

    served: Served
    token: str

    def __call__(
        self, method: str, path: str, body: object = None, headers: Json | None = None
    ) -> tuple[int, Any]:
        return self.served.call(
            method, path, body, {"Authorization": f"Bearer {self.token}", **(headers or {})}
        )

    def raw(
        self, method: str, path: str, body: bytes | None = None, headers: Json | None = None
    ) -> tuple[int, Any]:
        own = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        return send(self.served, method, path, body, own)

    def run(self, document: Json) -> Json:
        status, told = self("POST", "/api/v1/jobs?wait=60", {"document": document})
        assert status == 201, told
        return dict(told)


@dataclass
class Town:
    """The server, and who is there."""

    served: Served
    tokens: dict[str, str]

    def __getitem__(self, name: str) -> Tenant:
        return Tenant(self.served, self.tokens[name])


def inhabit(data: Path) -> dict[str, str]:
    """Users of all kinds, with their tokens."""
    data.mkdir(parents=True)
    database = Database.open(str(data / "darkroom.db"))

    def settle(connection: Connection) -> dict[str, str]:
        tokens = {}
        for name in ("ada", "bob", "mallory"):
            add_user(connection, name, ("read", "run", "write"))
            tokens[name] = add_token(connection, name)[1]
        add_user(connection, "root", ("read", "run", "write", "admin"))
        tokens["root"] = add_token(connection, "root")[1]
        tokens["reader"] = add_token(connection, "ada", scopes=("read",))[1]
        tokens["brief"] = add_token(connection, "ada", days=1)[1]
        return tokens

    try:
        return asyncio.run(database.write(settle))
    finally:
        database.close()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    data = tmp_path_factory.mktemp("tenants") / "data"
    tokens = inhabit(data)
    with Served(data, options=("--results", "private", "--workers", "1")) as served:
        made = Town(served, tokens)
        made["root"].run(graph("warm"))
        yield made


def graph(words: str, name: str = "secret") -> Json:
    nodes = {
        "dye": {"type": "Dye"},
        "text": {
            "type": "Describe",
            "inputs": {"cloth": {"$link": ["dye", "value"]}, "words": words},
        },
        "write": {
            "type": "Write",
            "inputs": {"text": {"$link": ["text", "value"]}, "name": name},
        },
    }
    outputs = {"file": {"node": "write", "output": "value"}}
    return {"darkroom": 1, "name": "secret", "nodes": nodes, "outputs": outputs}


@pytest.fixture(scope="module")
def secret(town: Town) -> Json:
    """A job of Ada's that has ended."""
    job = town["ada"].run(graph("secret"))
    assert job["state"] == "succeeded", job
    return job


def test_every_address_of_a_job_is_its_owners(town: Town, secret: Json) -> None:
    job = secret["id"]
    (file,) = secret["outputs"]["file"]["files"]
    at = f"/api/v1/jobs/{job}"
    assert town["ada"].raw("GET", file["url"])[0] == 200
    for method, path, body in [
        ("GET", at, None),
        ("GET", f"{at}?wait=1", None),
        ("DELETE", at, None),
        ("GET", f"{at}/nodes", None),
        ("GET", f"{at}/document", None),
        ("GET", f"{at}/outputs", None),
        ("GET", f"{at}/events", None),
        ("GET", f"{at}/events?after=0", None),
        ("POST", f"{at}/cancel", None),
        ("POST", f"{at}/retry", None),
        ("POST", f"{at}/move", {"to": "front"}),
        ("GET", f"/api/v1/socket?job={job}", None),
        ("GET", file["url"], None),
        ("HEAD", file["url"], None),
        ("GET", file["url"] + "?thumbnail=64", None),
        ("GET", file["url"] + "/metadata", None),
    ]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if body else {}
        status, told = town["mallory"].raw(method, path, data, headers)
        assert status == 404, (method, path, status, told)
        missing = path.replace(job, "01a20f45-0000-7000-0000-000000000000")
        other, _ = town["mallory"].raw(method, missing, data, headers)
        assert other == status, "it tells whether there is such a job"
    status, told = town["mallory"]("POST", "/api/v1/jobs/delete", {"ids": [job]})
    assert told == {"deleted": []}
    assert town["ada"]("GET", at)[0] == 200


def test_jobs_of_others_are_neither_listed_nor_counted(town: Town, secret: Json) -> None:
    mallory = town["mallory"]
    _, told = mallory("GET", "/api/v1/jobs?limit=500")
    assert told["total"] == len([job for job in told["jobs"] if job["owner"] == "mallory"])
    assert secret["id"] not in json.dumps(told)
    assert mallory("GET", f"/api/v1/jobs?text={secret['id']}")[1]["total"] == 0
    _, counted = mallory("GET", "/api/v1/queue")
    assert counted["succeeded"] == told["total"]
    for path in ("/api/v1/jobs?everybody=true", "/api/v1/queue?everybody=true"):
        assert mallory("GET", path)[0] == 403
        assert town["root"]("GET", path)[0] == 200
    status, told = mallory("GET", "/api/v1/events?everybody=true")
    assert status == 403


def test_a_queued_job_cannot_be_touched_by_another(town: Town) -> None:
    assert town["root"]("POST", "/api/v1/queue/pause")[0] == 200
    try:
        _, waiting = town["ada"]("POST", "/api/v1/jobs", {"document": graph("waiting")})
        _, own = town["mallory"]("POST", "/api/v1/jobs", {"document": graph("own")})
        at = f"/api/v1/jobs/{waiting['id']}"
        assert town["mallory"]("POST", f"{at}/cancel")[0] == 404
        assert town["mallory"]("DELETE", at)[0] == 404
        assert town["mallory"]("POST", f"{at}/move", {"priority": -5})[0] == 404
        beside = {"before": waiting["id"]}
        assert town["mallory"]("POST", f"/api/v1/jobs/{own['id']}/move", beside)[0] == 404
        _, swept = town["mallory"]("POST", "/api/v1/queue/cancel")
        assert swept["queued"] == 1
        assert town["ada"]("GET", at)[1]["state"] == "queued"
        for path in ("/api/v1/queue/pause", "/api/v1/queue/resume", "/api/v1/store/prune"):
            assert town["mallory"]("POST", path, {})[0] == 403
        assert town["mallory"]("POST", "/api/v1/workers/worker-0/restart")[0] == 403
    finally:
        assert town["root"]("POST", "/api/v1/queue/resume")[0] == 200
    assert town.served is not None
    assert town["ada"]("GET", f"{at}?wait=30")[1]["state"] == "succeeded"


def test_the_same_idempotency_key_is_another_job(town: Town) -> None:
    key = {"Idempotency-Key": "shared-key"}
    _, first = town["ada"]("POST", "/api/v1/jobs", {"document": graph("a")}, key)
    status, second = town["bob"]("POST", "/api/v1/jobs", {"document": graph("b")}, key)
    assert status == 201
    assert first["id"] != second["id"]
    assert second["owner"] == "bob"


def test_events_of_others_are_not_told(town: Town) -> None:
    with connect(town.served) as stream:
        stream.sendall(
            f"GET /api/v1/events?after=0 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {town['bob'].token}\r\n\r\n".encode()
        )
        status, socket = open_websocket(
            town.served, f"/api/v1/socket?after=0&token={town['bob'].token}"
        )
        with socket:
            assert status == 101
            secret = town["ada"].run(graph("told"))
            own = town["bob"].run(graph("own"))
            for watcher in (stream, socket):
                heard = b""
                until = time.monotonic() + 20
                while b"job.succeeded" not in heard or own["id"].encode() not in heard:
                    assert time.monotonic() < until, heard
                    heard += watcher.recv(65536)
                assert secret["id"].encode() not in heard
                assert b'"ada"' not in heard


def test_files_and_workflows_of_others_are_not_there(town: Town) -> None:
    ada, mallory = town["ada"], town["mallory"]
    status, sent = ada.raw(
        "POST", "/api/v1/uploads?name=face.png", PICTURE, {"Content-Type": "image/png"}
    )
    assert status == 201, sent
    assert mallory.raw("GET", "/api/v1/uploads/face.png")[0] == 404
    assert mallory.raw("DELETE", "/api/v1/uploads/face.png")[0] == 404
    assert mallory("GET", "/api/v1/uploads")[1]["uploads"] == []
    assert ada("PUT", "/api/v1/workflows/mine", graph("mine"))[0] == 201
    for path in ("mine", "mine/versions", "mine/versions/1", "mine/signature"):
        assert mallory("GET", f"/api/v1/workflows/{path}")[0] == 404
    assert mallory("POST", "/api/v1/workflows/mine/run", {"inputs": {}})[0] == 404
    assert mallory("POST", "/api/v1/jobs", {"workflow": "mine"})[0] in {404, 422}
    assert mallory("DELETE", "/api/v1/workflows/mine", None, {"If-Match": "*"})[0] == 404
    _, described = mallory("GET", "/api/v1/openapi.json")
    assert "/api/v1/workflows/mine/run" not in described["paths"]
    names = {each["name"] for each in mallory("GET", "/api/v1/workflows")[1]["workflows"]}
    assert "mine" not in names


def test_private_results_are_made_anew_by_each(town: Town) -> None:
    def states(who: str) -> set[str]:
        job = town[who].run(graph("a private result", "private"))
        _, told = town[who]("GET", f"/api/v1/jobs/{job['id']}/nodes")
        return {node["state"] for node in told["nodes"] if node["type"] == "Describe"}

    assert states("ada") == {"ran"}
    assert states("ada") == {"stored"}
    assert states("bob") == {"ran"}
    _, plan = town["mallory"](
        "POST", "/api/v1/plan", {"document": graph("a private result", "private")}
    )
    assert plan["nodes"]["text"]["state"] == "run"


@pytest.mark.parametrize("at", ["", "/api"])
def test_comfyuis_addresses_show_nothing_of_others(town: Town, secret: Json, at: str) -> None:
    ada, mallory, job = town["ada"], town["mallory"], secret["id"]
    (file,) = secret["outputs"]["file"]["files"]
    assert town["root"]("POST", "/api/v1/queue/pause")[0] == 200
    try:
        _, waiting = ada("POST", "/api/v1/jobs", {"document": graph("comfy", "comfy")})
        for path in ("/queue", "/history", f"/history/{job}", "/prompt"):
            status, told = mallory("GET", at + path)
            assert status == 200, (path, told)
            assert job not in json.dumps(told)
            assert waiting["id"] not in json.dumps(told)
        assert mallory("GET", at + "/prompt")[1]["exec_info"]["queue_remaining"] == 0
        assert mallory("GET", f"/api/jobs/{job}")[0] == 404
        assert job not in json.dumps(mallory("GET", "/api/jobs")[1])
        for path, body in [
            ("/queue", {"delete": [waiting["id"]]}),
            ("/queue", {"clear": True}),
            ("/interrupt", {"prompt_id": waiting["id"]}),
            ("/interrupt", {}),
            ("/history", {"delete": [job]}),
            ("/history", {"clear": True}),
        ]:
            data = json.dumps(body).encode()
            status, told = mallory.raw(
                "POST", at + path, data, {"Content-Type": "application/json"}
            )
            assert status < 500, (path, told)
        for where in ("", "..%2Fada%2Foutputs", "..%2F..%2Fada%2Foutputs"):
            query = f"?filename={file['path']}&subfolder={where}&type=output"
            assert mallory.raw("GET", at + "/view" + query)[0] in {403, 404}
        assert ada.raw("GET", f"{at}/view?filename={file['path']}&type=output")[0] == 200
        for name in ("theirs.json", "%2e%2e%2f%2e%2e%2fada%2fcomfy%2fuserdata%2ftheirs.json"):
            assert ada.raw("POST", f"{at}/userdata/theirs.json", b"{}")[0] == 200
            assert mallory.raw("GET", f"{at}/userdata/{name}")[0] in {403, 404}
            assert mallory.raw("DELETE", f"{at}/userdata/{name}")[0] in {403, 404}
        assert ada("POST", at + "/settings", {"Secret": "ada's"})[0] == 200
        assert "ada's" not in json.dumps(mallory("GET", at + "/settings")[1])
        assert ada("GET", f"/api/v1/jobs/{waiting['id']}")[1]["state"] == "queued"
        assert ada("GET", f"/api/v1/jobs/{job}")[0] == 200
        for path, body in [("/queue", {"clear": True}), ("/prompt", {}), ("/interrupt", {})]:
            assert town["reader"]("POST", at + path, body)[0] == 403
            assert town.served.call("POST", at + path, body)[0] == 401
    finally:
        assert town["root"]("POST", "/api/v1/queue/resume")[0] == 200


def test_comfyuis_websocket_tells_nothing_of_others(town: Town) -> None:
    status, socket = open_websocket(town.served, f"/ws?clientId=ada&token={town['mallory'].token}")
    with socket:
        assert status == 101
        job = town["ada"].run(graph("watched", "watched"))
        town["mallory"].run(graph("own", "own"))
        socket.settimeout(1)
        heard = b""
        try:
            while len(heard) < 10**6:
                heard += socket.recv(65536)
        except TimeoutError:
            pass
    assert job["id"].encode() not in heard


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/v1/jobs", {"document": graph("weak")}),
        ("POST", "/api/v1/jobs/batch", {"jobs": [{"document": graph("weak")}]}),
        ("POST", "/api/v1/queue/cancel", None),
        ("POST", "/api/v1/queue/pause", None),
        ("POST", "/api/v1/jobs/delete", {"ids": ["x"]}),
        ("PUT", "/api/v1/workflows/weak", graph("weak")),
        ("DELETE", "/api/v1/workflows/weak", None),
        ("POST", "/api/v1/uploads?name=weak.png", None),
        ("DELETE", "/api/v1/uploads/weak.png", None),
        ("POST", "/api/v1/store/prune", {}),
    ],
)
def test_a_weak_token_changes_nothing(town: Town, method: str, path: str, body: object) -> None:
    assert town["reader"]("GET", "/api/v1/jobs")[0] == 200
    status, told = town["reader"](method, path, body)
    assert status == 403, told
    assert told["code"] == "forbidden"
    anonymous, _ = town.served.call(method, path, body)
    assert anonymous == 401


def test_a_token_ends_when_it_expires(town: Town) -> None:
    assert town["brief"]("GET", "/api/v1/jobs")[0] == 200
    change(town, "update tokens set expires = ? where expires is not null", time.time() - 1)
    wait_for(lambda: town["brief"]("GET", "/api/v1/jobs")[0] == 401)
    status, socket = open_websocket(town.served, f"/api/v1/socket?token={town['brief'].token}")
    socket.close()
    assert status == 401
    assert town["ada"]("GET", "/api/v1/jobs")[0] == 200


def test_a_disabled_user_is_out(town: Town) -> None:
    assert town["mallory"]("GET", "/api/v1/jobs")[0] == 200
    change(town, "update users set disabled = ? where name = 'mallory'", True)
    try:
        wait_for(lambda: town["mallory"]("GET", "/api/v1/jobs")[0] == 401)
        status, socket = open_websocket(
            town.served,
            "/api/v1/socket",
            headers=f"Authorization: Bearer {town['mallory'].token}\r\n",
        )
        socket.close()
        assert status == 401
    finally:
        change(town, "update users set disabled = ? where name = 'mallory'", False)
        wait_for(lambda: town["mallory"]("GET", "/api/v1/jobs")[0] == 200)


def change(town: Town, statement: str, value: object) -> None:
    """As the command line does it beside a running server."""
    connection = sqlite3.connect(town.served.data / "darkroom.db", timeout=10)
    with connection:
        connection.execute(statement, (value,))
    connection.close()


def wait_for(condition: Any, patience: float = 10.0) -> None:
    until = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)
