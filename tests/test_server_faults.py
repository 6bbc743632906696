"""A whole server, and clients that send what nobody should."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from .raw import connect, memory_mb, open_websocket, send
from .serving import Served
from .toying import check_alive, check_problem, graph, node, run

Json = dict[str, Any]
PICTURE = b"\x89PNG\r\n\x1a\n{}"
JSON = {"Content-Type": "application/json"}
BAD_NAMES = [
    "..%2f..%2fsecret.png", "%2e%2e%2fsecret.png", "%2fetc%2fpasswd", "..%5csecret.png",
    "C:%5csecret.png", "a%00.png", "%2e%2e", "...%2f...%2f", "link.png", "folder%2fsecret.png",
]  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data = tmp_path_factory.mktemp("faults") / "data"
    with Served(data, options=("--workers", "2", "--cancel-grace-seconds", "0.5")) as server:
        status, told = server.call("POST", "/api/v1/jobs?wait=60", {"document": graph({})})
        assert (status, told["state"]) == (201, "succeeded"), told
        yield server


# Bodies


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"nonsense", 400),
        (b'{"document": {}} trailing', 400),
        (b'{"a": 1, "a": 2}', 400),
        (b'{"priority": NaN}', 400),
        (b'{"priority": 1e999}', 400),
        (b'{"priority": ' + b"9" * 5000 + b"}", 400),
        (b"\xff\xfe{}", 400),
        (b'"\\ud800"', 400),
        (b"[" * 10_000 + b"]" * 10_000, 400),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 400),
        (b"[]", 422),
        (b"null", 422),
        (b"7", 422),
        (b'"text"', 422),
        (b'{"document": []}', 422),
        (b'{"document": {"darkroom": 1}}', 422),
        (b'{"document": {"darkroom": 99, "nodes": {}}}', 422),
        (b'{"document": {"darkroom": 1, "nodes": []}}', 422),
        (b'{"document": {"darkroom": 1, "nodes": {"a": 7}}}', 422),
        (b'{"document": {"darkroom": 1, "nodes": {"a": {"type": 7}}}}', 422),
        (b'{"document": {"darkroom": 1, "nodes": {"a": {"type": "Add"}}}, "priority": "x"}', 422),
        (b'{"document": {"darkroom": 1, "nodes": {"a": {"type": "Add"}}}, "nonsense": 1}', 422),
    ],
    ids=lambda value: repr(value[:30]) if isinstance(value, bytes) else str(value),
)
def test_what_is_no_request_is_a_problem(served: Served, body: bytes, status: int) -> None:
    answered, told = send(served, "POST", "/api/v1/jobs", body, JSON)
    assert answered == status, told
    check_problem(told, status)


@pytest.mark.parametrize("path", ["/api/v1/jobs/batch", "/api/v1/validate", "/api/v1/plan"])
def test_deep_nesting_is_refused_everywhere(served: Served, path: str) -> None:
    body = b'{"document":' + b"[" * 10_000 + b"]" * 10_000 + b"}"
    status, told = send(served, "POST", path, body, JSON)
    check_problem(told, 400)
    assert status == 400


@pytest.mark.parametrize(
    "path", ["/api/v1/jobs", "/api/v1/jobs/batch", "/api/v1/plan", "/api/v1/workflows/large"]
)
def test_a_hundred_megabytes_are_refused_unread(served: Served, path: str) -> None:
    assert served.process is not None
    before = memory_mb(served.process.pid)
    method = "PUT" if "workflows" in path else "POST"
    body = b'{"document": "' + b"x" * 100_000_000 + b'"}'
    status, told = send(served, method, path, body, JSON)
    assert status == 413
    check_problem(told, 413)
    assert memory_mb(served.process.pid) < before + 60


def test_an_endless_body_is_refused_when_it_is_too_large(served: Served) -> None:
    with connect(served) as client:
        client.sendall(
            b"POST /api/v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        chunk = b"10000\r\n" + b"[" * 0x10000 + b"\r\n"
        until = time.monotonic() + 30
        try:
            while time.monotonic() < until:
                client.sendall(chunk)
                time.sleep(0.005)
        except OSError:
            pass
        assert time.monotonic() < until
    check_alive(served)


# Graphs


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (node("NoSuchNode"), "unknown_node"),
        (node("Add", a="text"), "wrong_type"),
        (node("Add", nonsense=1), "unknown_input"),
        (node("Add", a={"$link": ["nowhere", "value"]}), "unknown_link"),
        (node("Add", a={"$link": ["a", "value"]}), "cycle"),
        (
            graph(
                {
                    "a": {"type": "Add", "inputs": {"a": {"$link": ["b", "value"]}}},
                    "b": {"type": "Add", "inputs": {"a": {"$link": ["a", "value"]}}},
                }
            ),
            "cycle",
        ),
        (graph({"a": {"type": "Subgraph", "graph": "nowhere"}}), "unknown_graph"),
        (node("Add", a={"$range": {"from": 0, "to": 1e12}}), "bad_value"),
    ],
)
def test_a_graph_that_cannot_run_is_not_taken(served: Served, document: Json, code: str) -> None:
    status, told = served.call("POST", "/api/v1/jobs", {"document": document})
    assert status == 422, told
    check_problem(told, 422)
    assert code in {problem["code"] for problem in told["problems"]}, told
    status, told = served.call("POST", "/api/v1/validate", {"document": document})
    assert status == 200
    assert not told["valid"]


@pytest.mark.parametrize(
    "name",
    ["../secret.json", "/etc/secret.json", "sub/../../secret.json", "link.json", "..\\s.json"],
)
def test_a_graph_takes_no_files_from_elsewhere(served: Served, name: str) -> None:
    (served.data / "secret.json").write_text(json.dumps(graph({})))
    folder = served.data / "workflows"
    folder.mkdir(exist_ok=True)
    if not (folder / "link.json").is_symlink():
        (folder / "link.json").symlink_to(served.data / "secret.json")
    document = graph({"a": {"type": "Subgraph", "graph": name}}, value="a")
    for path in ("/api/v1/jobs", "/api/v1/plan", "/api/v1/explain"):
        status, told = served.call("POST", path, {"document": document})
        assert status == 422, (path, told)
    status, told = served.call("PUT", "/api/v1/workflows/taker", document, {"If-Match": "*"})
    if status not in {200, 201}:
        status, told = served.call("PUT", "/api/v1/workflows/taker", document)
    assert status in {200, 201}, told
    status, told = served.call("POST", "/api/v1/workflows/taker/run", {"inputs": {}})
    assert status == 422, told
    check_problem(told, 422)
    for path in ("/api/v1/jobs", "/api/v1/plan", "/api/v1/validate"):
        status, told = served.call("POST", path, {"workflow": "taker"})
        assert status == 422 or not told["valid"], (path, told)


@pytest.mark.parametrize("name", ["../../evil", "/evil", "a/../../evil", "..", "\0", "", "."])
def test_an_output_stays_in_its_folder(served: Served, name: str) -> None:
    document = graph({"a": {"type": "Write", "inputs": {"text": "harm", "name": name}}}, value="a")
    status, told = served.call("POST", "/api/v1/jobs", {"document": document})
    if status == 201:
        ended = served.finished(told["id"])
        for file in ended["outputs"].get("value", {}).get("files", []):
            assert (served.data / "outputs" / file["path"]).is_file()
            assert ".." not in file["path"]
    else:
        assert status == 422, told
    outside = [p for p in served.data.parent.rglob("*evil*") if "outputs" not in p.parts]
    assert not outside
    assert not list(Path("/").glob("evil*"))


# Names in addresses


def test_names_in_addresses_stay_in_their_folders(served: Served) -> None:
    secret = served.data / "secret.png"
    secret.write_bytes(b"\x89PNG\r\n\x1a\n{}")
    inputs = served.data / "inputs"
    inputs.mkdir(exist_ok=True)
    if not (inputs / "link.png").is_symlink():
        (inputs / "link.png").symlink_to(secret)
        (inputs / "folder").symlink_to(served.data)
    ended = run(served, graph({"w": {"type": "Write", "inputs": {"text": "x", "name": "y"}}}))
    job = ended["id"]
    for name in BAD_NAMES:
        for method, path in [
            ("GET", f"/api/v1/uploads/{name}"),
            ("GET", f"/api/v1/uploads/{name}?thumbnail=64"),
            ("DELETE", f"/api/v1/uploads/{name}"),
            ("GET", f"/api/v1/pictures/{name}"),
            ("GET", f"/api/v1/pictures/{name}?thumbnail=64"),
            ("GET", f"/api/v1/workflows/{name}"),
            ("DELETE", f"/api/v1/workflows/{name}"),
            ("GET", f"/api/v1/workflows/{name}/versions"),
            ("GET", f"/api/v1/workflows/{name}/versions/1"),
            ("GET", f"/api/v1/workflows/{name}/signature"),
            ("GET", f"/api/v1/jobs/{job}/outputs/{name}"),
            ("GET", f"/api/v1/jobs/{job}/outputs/{name}/metadata"),
            ("GET", f"/api/v1/jobs/{name}/outputs/x"),
            ("GET", f"/api/v1/docs/{name}"),
            ("GET", f"/api/v1/problems/{name}"),
            ("GET", f"/api/v1/nodes/{name}"),
        ]:
            status, told = send(served, method, path, headers={"If-Match": "*"})
            assert 400 <= status < 500, (method, path, status, told)
        status, told = send(served, "PUT", f"/api/v1/workflows/{name}", b"{}", JSON)
        assert 400 <= status < 500, (name, told)
        body = b"\x89PNG\r\n\x1a\n{}"
        status, told = send(
            served, "POST", f"/api/v1/uploads?name={name}&overwrite=true", body,
            {"Content-Type": "application/octet-stream"},
        )  # fmt: skip
        assert status == 201 or 400 <= status < 500, (name, status, told)
        if status == 201:
            assert (inputs / told["name"]).parent == inputs
            assert "/" not in told["name"]
    assert secret.read_bytes() == b"\x89PNG\r\n\x1a\n{}"
    assert not list(served.data.parent.glob("*.png"))
    _, listed = served.call("GET", "/api/v1/uploads")
    assert not {"link.png", "folder"} & {each["name"] for each in listed["uploads"]}


@pytest.mark.parametrize("at", ["", "/api"])
def test_names_in_comfyuis_addresses_stay_in_their_folders(served: Served, at: str) -> None:
    secret = served.data / "secret.png"
    secret.write_bytes(PICTURE)
    files = served.data / "comfy" / "userdata"
    for folder in (served.data / "inputs", served.data / "outputs", files):
        folder.mkdir(exist_ok=True, parents=True)
        if not (folder / "link.png").is_symlink():
            (folder / "link.png").symlink_to(secret)
            (folder / "folder").symlink_to(served.data)
    for name in BAD_NAMES:
        for method, path in [
            *(("GET", f"/view?filename={name}&type={k}") for k in ("input", "output", "temp")),
            ("GET", f"/view?filename=secret.png&subfolder={name}&type=input"),
            ("GET", f"/view?filename={name}%20[input]"),
            ("GET", f"/view?filename={name}&type=input&preview=webp"),
            ("GET", f"/view?filename=secret.png&type={name}"),
            ("GET", f"/view_metadata/{name}?filename=a.safetensors"),
            ("GET", f"/view_metadata/checkpoints?filename={name}"),
            ("GET", f"/models/{name}"),
            ("GET", f"/experiment/models/{name}"),
            ("GET", f"/internal/files/{name}"),
            ("GET", f"/userdata/{name}"),
            ("DELETE", f"/userdata/{name}"),
            ("GET", f"/userdata?dir={name}"),
            ("POST", f"/userdata/{name}/move/stolen.png"),
        ]:
            status, told = send(served, method, at + path)
            assert status < 500 or status == 501, (path, told)
            assert told != PICTURE, path
            if not name.startswith("...") and ("userdata/" in path or "/view?" in path):
                assert status >= 400, (method, path, status)
        status, _ = send(served, "POST", f"{at}/userdata/{name}", b"harm")
        assert status < 500
        form = (
            b'--x\r\nContent-Disposition: form-data; name="image"; filename="evil.png"\r\n'
            b"Content-Type: image/png\r\n\r\n" + PICTURE + b"\r\n--x\r\n"
            b'Content-Disposition: form-data; name="subfolder"\r\n\r\n'
            + unquote(name).encode() + b"\r\n--x--\r\n"
        )  # fmt: skip
        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        status, told = send(served, "POST", at + "/upload/image", form, kind)
        assert status < 500, told
    assert secret.read_bytes() == PICTURE
    assert not (files / "stolen.png").exists()
    for kept in served.data.parent.rglob("evil*.png"):
        assert kept.resolve().is_relative_to((served.data / "inputs").resolve())


def test_a_planted_link_among_workflows_shows_nothing(served: Served) -> None:
    secret = graph({"secret": {"type": "Add"}})
    (served.data / "secret.json").write_text(json.dumps(secret))
    folder = served.data / "workflows"
    folder.mkdir(exist_ok=True)
    if not (folder / "link.json").is_symlink():
        (folder / "link.json").symlink_to(served.data / "secret.json")
    _, told = served.call("GET", "/api/v1/workflows")
    assert "link" not in {each["name"] for each in told["workflows"]}
    status, _ = served.call("GET", "/api/v1/workflows/link")
    assert status == 404
    served.call("PUT", "/api/v1/workflows/link", graph({}), {"If-Match": "*"})
    served.call("PUT", "/api/v1/workflows/link", graph({}))
    _, told = served.call("GET", "/api/v1/workflows/link/versions")
    for version in told.get("versions", []):
        number = version["version"]
        _, document = served.call("GET", f"/api/v1/workflows/link/versions/{number}")
        assert "secret" not in document["nodes"]
    assert json.loads((served.data / "secret.json").read_text()) == secret


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/jobs?limit=0",
        "/api/v1/jobs?limit=999999999999999999999",
        "/api/v1/jobs?after=nonsense",
        "/api/v1/jobs?since=yesterday",
        "/api/v1/jobs?state=nonsense",
        "/api/v1/jobs?nonsense=1",
        "/api/v1/events?after=-1",
        "/api/v1/events?after=99999999999999999999999",
        "/api/v1/socket",
        "/api/v1/jobs/%00",
        "/api/v1/jobs/" + "x" * 5000,
        "/api/v1/nothing",
    ],
)
def test_wrong_parameters_are_problems(served: Served, path: str) -> None:
    status, told = send(served, "GET", path)
    assert 400 <= status < 500, told
    check_problem(told, status)


def test_an_image_bomb_is_refused_and_not_kept(served: Served) -> None:
    body = b"\x89PNG\r\n\x1a\n" + json.dumps({"width": 10**5, "height": 10**5}).encode()
    status, told = send(
        served, "POST", "/api/v1/uploads?name=bomb.png", body, {"Content-Type": "image/png"}
    )
    assert status == 422
    check_problem(told, 422)
    assert told["problems"][0]["code"] == "too_large"
    assert not list((served.data / "inputs").glob("*bomb*"))
    assert not list((served.data / "inputs").glob(".uploading*"))


# Clients that take their time


def test_clients_that_send_slowly_hold_up_nobody(served: Served) -> None:
    head = b"POST /api/v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    with ExitStack() as held:
        for number in range(100):
            client = held.enter_context(connect(served))
            client.sendall(head)
            if number % 2:
                client.sendall(
                    b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n" + b"{"
                )
        began = time.monotonic()
        assert served.call("GET", "/api/v1/health")[0] == 200
        assert time.monotonic() - began < 2
        check_alive(served)


@pytest.mark.slow
def test_a_client_that_never_ends_its_request_is_let_go(served: Served) -> None:
    head = b"POST /api/v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    body = b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    with connect(served) as slow_head, connect(served) as slow_body:
        slow_head.sendall(head)
        slow_body.sendall(head + body)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                slow_head.sendall(b"X-A: b\r\n")
            except OSError:
                break
            time.sleep(2)
        assert time.monotonic() < until
        slow_body.settimeout(45)
        assert b" 408 " in slow_body.recv(1000)


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory from /proc")
def test_a_client_that_reads_nothing_costs_little_and_slows_nobody(served: Served) -> None:
    assert served.process is not None
    served.call("POST", "/api/v1/queue/pause")
    try:
        with ExitStack() as held:
            for path in ("/api/v1/socket", "/api/v1/socket?previews=true"):
                status, deaf = open_websocket(served, path, window=4096)
                held.enter_context(deaf)
                assert status == 101
            stream = held.enter_context(connect(served, window=4096))
            stream.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            before = memory_mb(served.process.pid)
            for _ in range(4):
                batch = {"jobs": [{"document": graph({})}] * 1_000}
                status, told = served.call("POST", "/api/v1/jobs/batch", batch)
                assert status == 201, told
                assert served.call("POST", "/api/v1/queue/cancel")[0] == 200
            began = time.monotonic()
            assert served.call("GET", "/api/v1/health")[0] == 200
            assert time.monotonic() - began < 2
            assert memory_mb(served.process.pid) < before + 100
    finally:
        served.call("POST", "/api/v1/queue/resume")
    check_alive(served)
