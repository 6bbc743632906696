import asyncio
import hashlib
import os
import socket
import struct
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import FormData

from server.access import Principal
from server.api.problems import answer_problems
from server.service import Service
from server.workers.messages import Answer
from tests.server.api.conftest import PICTURE, Bench, Caller, Client, until

Json = dict[str, Any]
AT = "/api/v1/uploads"


@pytest.fixture(autouse=True)
def probed(bench: Bench) -> None:
    bench.answers["probe"] = Answer(0, {"width": 8, "height": 4, "format": "PNG"})


async def send(client: Client, data: bytes = PICTURE, **query: str) -> Json:
    headers = {"Content-Type": "image/png"}
    answer = await client.post(AT, data=data, headers=headers, params=query)
    assert answer.status == 201, await answer.text()
    told: Json = await answer.json()
    return told


def left_over(service: Service) -> list[str]:
    return sorted(path.name for path in (service.settings.data / "inputs").glob(".*"))


async def test_a_form_and_a_raw_body_are_taken(client: Client, service: Service) -> None:
    form = FormData(quote_fields=False)
    form.add_field("note", "text before the file")
    form.add_field("file", PICTURE, filename="C:\\pictures\\cat.png")
    answer = await client.post(AT, data=form)
    told = await answer.json()
    assert (answer.status, told["name"]) == (201, "cat.png")
    assert told["digest"] == hashlib.sha256(PICTURE).hexdigest()
    assert (told["width"], told["height"], told["format"]) == (8, 4, "PNG")
    assert (await send(client, b"raw", name="dog"))["name"] == "dog.png"
    assert len((await send(client, b"nameless"))["name"]) == 20
    names = {each["name"] for each in (await (await client.get(AT)).json())["uploads"]}
    assert {"cat.png", "dog.png"} < names
    assert left_over(service) == []


async def test_another_picture_of_the_same_name_gets_a_new_one(client: Client) -> None:
    names = [
        (await send(client, data, name="cat.png"))["name"] for data in (b"a", b"b", b"a", b"c")
    ]
    assert names == ["cat.png", "cat-1.png", "cat.png", "cat-2.png"]
    assert (await send(client, b"d", name="cat.png", overwrite="true"))["name"] == "cat.png"
    assert await (await client.get(f"{AT}/cat.png")).read() == b"d"


async def test_what_is_no_picture_is_refused_and_leaves_nothing(
    client: Client, bench: Bench, service: Service
) -> None:
    problem = {"code": "no_picture", "message": "it is no picture", "node": None}
    bench.answers["probe"] = Answer(0, error={"detail": "it is no picture", "problems": [problem]})
    answer = await client.post(AT, data=b"MZ", headers={"Content-Type": "image/png"})
    assert answer.status == 422
    assert (await answer.json())["problems"][0]["code"] == "no_picture"
    assert list((service.settings.data / "inputs").iterdir()) == []


async def test_a_refused_file_is_called_as_its_sender_calls_it(
    client: Client, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask(question: str, *, path: str) -> Answer:
        message = f"{os.path.basename(path)} is no picture"  # noqa: PTH119 - as a worker names it
        problem = {"code": "no_picture", "message": message}
        return Answer(0, error={"detail": message, "problems": [problem]})

    monkeypatch.setattr(bench, "ask", ask)
    for query, name in (({"name": "cat.png"}, "cat.png"), ({}, "the file")):
        headers = {"Content-Type": "image/png"}
        told = await (await client.post(AT, data=b"MZ", headers=headers, params=query)).json()
        assert told["detail"] == f"{name} is no picture"
        assert told["problems"][0]["message"] == f"{name} is no picture"
    form = FormData(quote_fields=False)
    form.add_field("file", b"MZ", filename="C:\\pictures\\dog.png")
    told = await (await client.post(AT, data=form)).json()
    assert told["detail"] == "dog.png is no picture"


@pytest.mark.parametrize(
    "name", ["..", "../x.png", ".hidden.png", "a\x01b.png", "x" * 250, "a:b.png", "a|b.png"]
)
async def test_names_are_confined(client: Client, service: Service, name: str) -> None:
    answer = await client.post(
        AT, data=b"x", headers={"Content-Type": "image/png"}, params={"name": name}
    )
    told = await answer.json()
    if answer.status == 201:
        assert "/" not in told["name"]
        assert not told["name"].startswith(".")
        assert (service.settings.data / "inputs" / told["name"]).is_file()
    else:
        assert answer.status == 422


async def test_other_bodies_are_refused(client: Client) -> None:
    assert (await client.post(AT, data=b"x", headers={"Content-Type": "text/html"})).status == 415
    empty = await client.post(AT, data=b"", headers={"Content-Type": "image/png"})
    assert empty.status == 422
    form = FormData()
    form.add_field("note", "no file")
    answer = await client.post(AT, data=form, headers={"X": "y"})
    assert answer.status in {400, 415}
    broken = await client.post(
        AT, data=b"--x\r\nnonsense", headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert broken.status == 400
    no_boundary = await client.post(AT, data=b"x", headers={"Content-Type": "multipart/form-data"})
    assert no_boundary.status == 400


async def test_uploads_are_read_in_parts_and_deleted(client: Client, caller: Caller) -> None:
    await send(client, name="cat.png")
    answer = await client.get(f"{AT}/cat.png", headers={"Range": "bytes=0-3"})
    assert (answer.status, await answer.read()) == (206, PICTURE[:4])
    caller.principal = Principal("eve", frozenset({"read", "write"}))
    assert (await client.get(f"{AT}/cat.png")).status == 404
    assert (await client.delete(f"{AT}/cat.png")).status == 404
    caller.principal = Principal("local", frozenset({"read", "write"}))
    assert (await client.delete(f"{AT}/cat.png")).status == 204
    assert (await client.get(f"{AT}/cat.png")).status == 404
    assert (await client.get(f"{AT}/..%2Fdarkroom.db")).status in {404, 422}


async def test_the_name_of_a_folder_is_not_taken(client: Client, service: Service) -> None:
    (service.settings.data / "inputs" / "cat.png").mkdir(parents=True)
    assert (await send(client, name="cat.png"))["name"] == "cat-1.png"
    headers = {"Content-Type": "image/png"}
    params = {"name": "cat.png", "overwrite": "true"}
    assert (await client.post(AT, data=b"x", headers=headers, params=params)).status == 409
    assert left_over(service) == []


async def test_what_was_left_by_a_kill_is_removed_after_a_day(
    client: Client, service: Service
) -> None:
    folder = service.settings.data / "inputs"
    folder.mkdir()
    for name in (".uploading-old", ".uploading-new"):
        (folder / name).write_bytes(b"part")
    os.utime(folder / ".uploading-old", (1, 1))
    await send(client)
    assert left_over(service) == [".uploading-new"]


@pytest.mark.parametrize("kind", ["image/png", "multipart/form-data; boundary=x"])
async def test_a_client_that_leaves_is_no_fault(
    client: Client, service: Service, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", client.port)
    head = f"POST {AT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    writer.write(head.encode() + b"Content-Length: 100000\r\n\r\n" + part + PICTURE)
    await until(lambda: len(left_over(service)) == 1)
    linger = struct.pack("ii", 1, 0)  # so that the connection is reset
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.close()
    await until(lambda: left_over(service) == [])
    await asyncio.sleep(0.05)
    assert caplog.records == []


async def test_only_a_lost_connection_to_the_client_is_no_fault(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def lose(_: Any) -> Any:
        raise ConnectionResetError

    gone: Any = SimpleNamespace(transport=None)
    here: Any = SimpleNamespace(transport=object())
    await answer_problems(gone, lose)
    assert caplog.records == []
    assert (await answer_problems(here, lose)).status == 500
    assert len(caplog.records) == 1
