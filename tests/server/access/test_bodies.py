import asyncio
import contextlib
import json
import time
from typing import Any

import pytest
from aiohttp import web

from server.access import Refused
from server.access.bodies import BodyLimits, parse_json
from server.access.connections import runner_options
from tests.server.access.conftest import House


def refused(data: bytes | str, depth: int = 100) -> Refused:
    with pytest.raises(Refused) as told:
        parse_json(data.encode() if isinstance(data, str) else data, depth)
    return told.value


@pytest.mark.parametrize(
    "text", ["{}", "[]", "null", '"é"', "1e3", '\ufeff{"a": [1, 2.5]}', '"\\ud83d\\ude00"']
)
def test_json_is_read(text: str) -> None:
    assert parse_json(text.encode()) == json.loads(text.removeprefix("\ufeff"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"{]",
        b"{} {}",
        b"\xff\xfe{\x00}\x00",
        b'"\xff"',
        b'{"a": 1, "a": 2}',
        b'[{"b": {"a": 1, "c": 1, "a": 1}}]',
        b"NaN",
        b"[Infinity]",
        b"[-Infinity]",
        b"[1e999]",
        b"9" * 5000,
        b'"\\ud800"',
        b'{"\\uDfff": 1}',
        b"'a'",
    ],
)
def test_what_is_no_clean_json_is_refused(data: bytes) -> None:
    assert (refused(data).status, refused(data).code) == (400, "bad_json")


@pytest.mark.parametrize(("opened", "closed"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_deep_nesting_is_refused(opened: str, closed: str) -> None:
    for levels in (101, 10_000, 100_000):
        error = refused(opened * levels + "1" + closed * levels)
        assert (error.status, error.code) == (400, "too_deep")


def test_a_name_that_stands_twice_is_found_in_one_pass() -> None:
    names = ",".join(f'"{number}": 1' for number in range(50_000))
    began = time.perf_counter()
    assert "'49999' stands twice" in refused(f'{{{names}, "49999": 1}}').message
    assert time.perf_counter() - began < 2


def test_depth_is_counted_exactly_and_not_in_texts() -> None:
    parse_json(b"[" * 5 + b"]" * 5, depth=5)
    assert refused(b"[" * 6 + b"]" * 6, depth=5).code == "too_deep"
    parse_json(json.dumps(["[" * 1000] * 10).encode(), depth=5)
    parse_json(json.dumps([[1]] * 1000).encode(), depth=2)


async def test_a_body_is_read_as_json(house: House, aiohttp_client: Any) -> None:
    client = await aiohttp_client(house.app())
    answer = await client.post("/echo", json={"a": [1]})
    assert await answer.json() == {"a": [1]}


async def test_ten_thousand_levels_get_a_clean_answer(house: House, aiohttp_client: Any) -> None:
    client = await aiohttp_client(house.app())
    headers = {"Content-Type": "application/json"}
    body = b"[" * 10_000 + b"]" * 10_000
    answer = await client.post("/echo", data=body, headers=headers)
    assert answer.status == 400
    assert (await answer.json())["code"] == "too_deep"


async def test_a_hundred_megabytes_are_refused_at_once(house: House, aiohttp_server: Any) -> None:
    server = await aiohttp_server(house.app())
    for path in ("/echo", "/text"):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: 100000000\r\n\r\n".encode())
        line = await asyncio.wait_for(reader.readline(), 5)
        assert b" 413 " in line
        writer.close()


async def test_a_large_body_without_a_length_is_cut_off(house: House, aiohttp_client: Any) -> None:
    house.limits = BodyLimits(json_bytes=100_000, upload_bytes=200_000)
    client = await aiohttp_client(house.app())

    async def endless() -> Any:
        for _ in range(1000):
            yield b"[" * 10_000

    for path in ("/text", "/upload"):
        answer = await client.post(path, data=endless())
        assert answer.status == 413


async def test_an_upload_within_its_limit_passes(house: House, aiohttp_client: Any) -> None:
    house.limits = BodyLimits(json_bytes=1000, upload_bytes=500_000)
    client = await aiohttp_client(house.app())
    assert await (await client.post("/upload", data=b"x" * 400_000)).json() == 400_000
    assert (await client.post("/upload", data=b"x" * 600_000)).status == 413
    assert (await client.post("/text", data=b"x" * 2000)).status == 413


@pytest.mark.parametrize("pause", [0.05, 10.0])
async def test_a_body_that_dribbles_or_stops_is_refused(
    house: House, aiohttp_server: Any, pause: float
) -> None:
    house.limits = BodyLimits(grace=0.3, pace=1000)
    server = await aiohttp_server(house.app())
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: 1000\r\n\r\n".encode())

    async def dribble() -> None:
        while True:
            writer.write(b" ")
            await asyncio.sleep(pause)

    task = asyncio.create_task(dribble())
    began = time.monotonic()
    line = await asyncio.wait_for(reader.readline(), 5)
    task.cancel()
    writer.close()
    assert b" 408 " in line
    assert 0.2 < time.monotonic() - began < 3


@pytest.mark.parametrize("first", [b"", b"GET / HTTP/1.1\r\nHost: localhost\r\n"])
async def test_headers_that_dribble_end_the_connection(house: House, first: bytes) -> None:
    runner = web.AppRunner(house.app(), **runner_options(0.5))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = runner.addresses[0][1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(first)

        async def dribble() -> None:
            while first:
                writer.write(b"X-Slow: 1\r\n")
                await asyncio.sleep(0.05)

        task = asyncio.create_task(dribble())
        began = time.monotonic()
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), 5) == b""
        assert 0.3 < time.monotonic() - began < 3
        task.cancel()
        writer.close()
    finally:
        await runner.cleanup()


async def test_a_body_that_breaks_its_framing_is_refused(house: House, aiohttp_server: Any) -> None:
    server = await aiohttp_server(house.app())
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = "POST /text HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    writer.write(f"{head}5\r\nhello\r\nnothex\r\n".encode())
    line = await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    assert b" 400 " in line
