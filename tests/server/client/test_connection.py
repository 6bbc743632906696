import time
from pathlib import Path

import pytest
from aiohttp import web

from server.client import ApiError, AsyncClient, ClientError, ConnectionFailed, Problem
from server.client.connection import Connection

from .faking import cut, faking, job, refused, streamed, told

HEALTH = {"status": "ok", "version": "1", "workers": 1}
NOBODY = "http://127.0.0.1:9"


async def test_a_server_that_was_never_there_is_not_waited_for() -> None:
    began = time.monotonic()

    async with AsyncClient(NOBODY) as client:
        with pytest.raises(ConnectionFailed, match=r"127\.0\.0\.1:9 .*is `darkroom serve` running"):
            await client.health()

    assert time.monotonic() - began < 2


async def test_a_request_that_got_no_answer_is_repeated_under_the_same_key() -> None:
    async with (
        faking(cut, cut, told(job(), 201)) as fake,
        AsyncClient(fake.url, patience=5) as client,
    ):
        made = await client.run("any")

    keys = {request.headers["Idempotency-Key"] for request in fake.seen}
    assert made.id == "j1"
    assert len(fake.seen) == 3
    assert len(keys) == 1
    assert fake.bodies[0] == fake.bodies[2]


async def test_an_answer_that_breaks_off_is_asked_for_again() -> None:
    half = streamed(b'{"status": "o', cut_off=True)

    async with faking(half, told(HEALTH)) as fake, AsyncClient(fake.url, patience=5) as client:
        assert (await client.health()).status == "ok"


async def test_two_runs_have_different_keys() -> None:
    async with faking(told(job(), 201)) as fake, AsyncClient(fake.url) as client:
        await client.run("any")
        await client.run("any")
        await client.run("any", key="mine")

    first, second, third = [request.headers["Idempotency-Key"] for request in fake.seen]
    assert first != second
    assert third == "mine"


async def test_what_could_do_harm_twice_is_not_repeated() -> None:
    ended = told(job("failed"))

    async with faking(ended, cut, told(job(), 201)) as fake, AsyncClient(fake.url) as client:
        failed = await client.job("j1")
        with pytest.raises(ConnectionFailed):
            await failed.retry()

    assert len(fake.seen) == 2


async def test_a_server_that_stays_away_is_waited_for_as_long_as_was_said() -> None:
    async with faking(cut) as fake, AsyncClient(fake.url, patience=0.5) as client:
        with pytest.raises(ConnectionFailed):
            await client.health()

    assert len(fake.seen) >= 2


async def test_a_busy_server_is_asked_again_when_it_says() -> None:
    busy = refused(429, "too_many_requests")

    async with (
        faking(busy, told(HEALTH)) as fake,
        AsyncClient(fake.url, patience=5) as client,
    ):
        assert (await client.health()).workers == 1

    assert len(fake.seen) == 2


async def test_a_server_that_asks_for_more_patience_than_there_is_is_believed() -> None:
    async def later(request: web.Request) -> web.StreamResponse:
        return web.json_response(
            {"title": "t", "detail": "d", "code": "c"}, status=503, headers={"Retry-After": "60"}
        )

    async with faking(later) as fake, AsyncClient(fake.url, patience=1) as client:
        with pytest.raises(ApiError) as raised:
            await client.health()

    assert raised.value.status == 503
    assert len(fake.seen) == 1


async def test_a_picture_that_is_not_there_is_a_fault_of_the_clients(tmp_path: Path) -> None:
    async with AsyncClient(NOBODY) as client:
        with pytest.raises(ClientError, match=r"the picture .*nope\.png cannot be read"):
            await client.run("any", picture=tmp_path / "nope.png")


async def test_a_refusal_has_code_hint_and_all_problems() -> None:
    problems = [{"code": "out_of_range", "message": "steps is 0", "node": "s", "input": "steps"}]
    refusal = refused(422, "invalid_workflow", "bad", hint="give 1", problems=problems)

    async with faking(refusal) as fake, AsyncClient(fake.url) as client:
        with pytest.raises(ApiError, match="bad") as raised:
            await client.run("any")

    assert (raised.value.status, raised.value.code) == (422, "invalid_workflow")
    assert raised.value.hint == "give 1"
    assert ApiError(422, "bad", "bad", problems=raised.value.problems).hint is None
    hinted = Problem(code="odd", message="odd", hint="give 2")
    assert ApiError(422, "bad", "bad", problems=(hinted,)).hint == "give 2"
    assert raised.value.problems[0].node == "s"


@pytest.mark.parametrize("body", ["<html>", "[]", "{}", '{"code": 3, "problems": 7}'])
async def test_another_program_at_the_address_is_told(body: str) -> None:
    async def other(request: web.Request) -> web.StreamResponse:
        return web.Response(text=body, status=404, content_type="text/html")

    async with faking(other) as fake, AsyncClient(fake.url) as client:
        with pytest.raises(ApiError) as raised:
            await client.health()

    assert raised.value.code == "not_darkroom"


async def test_an_answer_in_another_form_is_told() -> None:
    async with faking(told({"status": 3})) as fake, AsyncClient(fake.url) as client:
        with pytest.raises(ApiError, match="not understood"):
            await client.health()


async def test_the_token_goes_with_every_request_and_to_no_other_address() -> None:
    async def elsewhere(request: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": "http://evil.example/"})

    async with (
        faking(told(HEALTH), elsewhere) as fake,
        AsyncClient(fake.url, token="t0p") as client,  # noqa: S106 - made up
    ):
        await client.health()
        with pytest.raises(ApiError, match=r"evil\.example"):
            await client.health()

    assert [request.headers["Authorization"] for request in fake.seen] == ["Bearer t0p"] * 2


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://host:1/", "http://host:1"),
        ("host:8188", "http://host:8188"),
        ("https://host/darkroom/api/v1", "https://host/darkroom"),
        ("http://[::1]:8188?x#y", "http://[::1]:8188"),
    ],
)
def test_addresses_are_read_as_people_write_them(given: str, url: str) -> None:
    assert Connection(given, None, 1).url == url


@pytest.mark.parametrize("given", ["", "http://", "ftp://host", "http://host:99999", "http://[::1"])
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(ApiError, match="no address"):
        Connection(given, None, 1)
