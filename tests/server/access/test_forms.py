import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import FormData, web

from server.access.bodies import BODY_LIMITS, BodyLimits
from server.access.forms import MOST_PARTS, MOST_TEXT, read_form
from tests.server.access.conftest import Client, answer_refusals

FORM = {"Content-Type": "multipart/form-data; boundary=x"}
FIRST = b'--x\r\nContent-Disposition: form-data; name="a"'
LIMITS = BodyLimits(upload_bytes=300_000, grace=0.3)


@pytest.fixture
async def client(aiohttp_client: Any) -> Client:
    async def lengths(request: web.Request) -> web.Response:
        return web.json_response({p.name: len(await p.text()) async for p in read_form(request)})

    app = web.Application(middlewares=[answer_refusals])
    app[BODY_LIMITS] = LIMITS
    app.router.add_post("/", lengths)
    made: Client = await aiohttp_client(app)
    return made


def form(sizes: list[int]) -> FormData:
    made = FormData()
    for number, size in enumerate(sizes):
        made.add_field(f"part {number}", "a" * size, filename="a.txt")
    return made


async def test_the_parts_are_read_in_order(client: Client) -> None:
    told = await (await client.post("/", data=form([3, 0, 5000]))).json()
    assert told == {"part 0": 3, "part 1": 0, "part 2": 5000}


@pytest.mark.parametrize(
    ("sizes", "status"),
    [([1] * MOST_PARTS, 200), ([1] * (MOST_PARTS + 1), 400), ([1, MOST_TEXT + 1], 413)],
)
async def test_parts_are_few_and_small(client: Client, sizes: list[int], status: int) -> None:
    assert (await client.post("/", data=form(sizes))).status == status


async def test_the_whole_form_is_bounded_also_without_a_length(client: Client) -> None:
    assert (await client.post("/", data=b"a" * 300_001, headers=FORM)).status == 413

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"a" * 1000 + b"\r\n"  # before the first boundary
        yield FIRST + b"\r\n\r\nx\r\n--x--\r\n"

    assert (await client.post("/", data=endless(), headers=FORM)).status == 413


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nothing",
        FIRST,
        FIRST + b"\r\n\r\nno end",
        FIRST + b"\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y--\r\n--x--\r\n",
        FIRST.replace(b'"a"', b"_charset_") + b"\r\n\r\n" + b"u" * 40 + b"\r\n--x--\r\n",
        FIRST + b"\r\nX: " + b"y" * 100_000 + b"\r\n\r\n\r\n--x--\r\n",
    ],
)
async def test_what_is_no_form_is_refused(client: Client, body: bytes) -> None:
    answer = await client.post("/", data=body, headers=FORM)
    assert (answer.status, (await answer.json())["code"]) == (400, "bad_request")


async def test_other_types_are_refused(client: Client) -> None:
    for headers in ({}, {"Content-Type": "multipart/form-data"}, {"Content-Type": "text/plain"}):
        assert (await client.post("/", data=b"--x--\r\n", headers=headers)).status == 400


async def test_a_client_that_stops_within_the_header_of_a_part_is_refused(client: Client) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    head = f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM['Content-Type']}\r\n"
    writer.write(head.encode() + b"Content-Length: 1000\r\n\r\n" + FIRST)
    assert b" 408 " in await asyncio.wait_for(reader.readline(), 5)
    writer.close()
