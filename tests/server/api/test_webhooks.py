import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver
from aiohttp.test_utils import TestServer
from typing_extensions import override

from engine.errors import InputError
from server.api.views import show
from server.api.webhooks import (
    HEADER,
    Forbidden,
    Outward,
    Webhooks,
    check_webhook,
    is_public,
    is_signed,
    signature,
)
from server.jobs.deliveries import Deliveries
from server.jobs.model import NewJob
from server.service import Service

Json = dict[str, Any]
SECRET = "a secret of the server"  # noqa: S105


class Receiver:
    """A webhook that answers as it is told to."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[tuple[web.Request, bytes]] = asyncio.Queue()
        self.answers: list[int] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        await self.heard.put((request, await request.read()))
        status = self.answers.pop(0) if self.answers else 204
        return web.Response(status=status, headers={"Location": "http://127.0.0.1:9/elsewhere"})


@pytest.fixture
async def receiver(
    aiohttp_server: Callable[[web.Application], Awaitable[TestServer]],
) -> Receiver:
    made, app = Receiver(), web.Application()
    app.router.add_post("/hook", made.answer)
    made.url = str((await aiohttp_server(app)).make_url("/hook"))
    return made


@pytest.fixture
async def deliveries(service: Service) -> Deliveries:
    return Deliveries(service.database)


@pytest.fixture
async def webhooks(service: Service, deliveries: Deliveries) -> AsyncIterator[Webhooks]:
    made = Webhooks(
        service.database,
        service.jobs,
        service.hub,
        show=show,
        hosts=("127.0.0.1",),
        secret=SECRET,
        deliveries=deliveries,
    )
    await made.start()
    yield made
    await made.stop()


async def end_one(service: Service, url: str) -> str:
    (job,) = await service.jobs.submit([NewJob("local", {"darkroom": 1}, webhook=url)])
    claimed = await service.jobs.claim(job.id, "worker-0")
    assert claimed is not None
    ended = await service.jobs.finish(job.id, 1, "succeeded", outputs={"sum": {"value": 3}})
    assert ended is not None
    service.dispatcher.tell("job.succeeded", ended)
    return job.id


async def heard(receiver: Receiver) -> tuple[web.Request, bytes]:
    return await asyncio.wait_for(receiver.heard.get(), 5)


async def settled(deliveries: Deliveries, job: str, state: str | None) -> None:
    async with asyncio.timeout(5):
        while [each.state for each in await deliveries.of(job)] != ([state] if state else []):  # noqa: ASYNC110 - another task ends it
            await asyncio.sleep(0.02)


async def test_a_webhook_is_told_of_the_end_with_a_signature(
    service: Service, webhooks: Webhooks, receiver: Receiver
) -> None:
    await service.dispatcher.pause(True)
    job = await end_one(service, receiver.url)
    request, body = await heard(receiver)
    told = json.loads(body)
    assert (told["event"], told["job"]["id"]) == ("job.succeeded", job)
    assert told["job"]["outputs"] == {"sum": {"value": 3}}
    assert is_signed(SECRET, body, request.headers[HEADER])
    assert not is_signed(SECRET, body + b" ", request.headers[HEADER])
    assert not is_signed("another secret", body, request.headers[HEADER])


async def test_an_attempt_that_failed_is_made_again(
    service: Service, deliveries: Deliveries, receiver: Receiver
) -> None:
    await service.dispatcher.pause(True)
    deliveries.monotonic = lambda: time.monotonic() * 100
    receiver.answers = [500, 302]
    hooks = Webhooks(
        service.database, service.jobs, service.hub,
        show=show, hosts=("127.0.0.1",), secret=SECRET, deliveries=deliveries,
    )  # fmt: skip
    await hooks.start()
    job = await end_one(service, receiver.url)
    for _ in range(2):
        await heard(receiver)
    hooks.woken.set()
    while not receiver.answers and receiver.heard.empty():
        await asyncio.sleep(0.05)
        hooks.woken.set()
    await heard(receiver)
    await settled(deliveries, job, None)
    await hooks.stop()


async def test_a_webhook_that_is_gone_is_not_tried_again(
    service: Service, webhooks: Webhooks, deliveries: Deliveries, receiver: Receiver
) -> None:
    await service.dispatcher.pause(True)
    receiver.answers = [410]
    job = await end_one(service, receiver.url)
    await heard(receiver)
    await settled(deliveries, job, "failed")


async def test_a_private_address_is_never_reached(
    service: Service, deliveries: Deliveries, receiver: Receiver
) -> None:
    await service.dispatcher.pause(True)
    hooks = Webhooks(service.database, service.jobs, service.hub, show=show, deliveries=deliveries)
    await hooks.start()
    job = await end_one(service, receiver.url)
    await settled(deliveries, job, "failed")
    await hooks.stop()
    assert receiver.heard.empty()
    assert "private network" in str((await deliveries.of(job))[0].reason)


async def test_a_name_that_leads_inside_is_refused_at_the_connection() -> None:
    class Inside(AbstractResolver):
        @override
        async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[Any]:
            return [{"host": "10.0.0.7", "port": port}, {"host": "::ffff:127.0.0.1", "port": port}]

        @override
        async def close(self) -> None: ...

    with pytest.raises(Forbidden):
        await Outward((), Inside()).resolve("hooks.example.org", 443)
    assert await Outward(("Hooks.example.org",), Inside()).resolve("hooks.example.org", 443)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",  # noqa: S104
        "224.0.0.1", "::1", "fe80::1", "fd00::1", "::ffff:10.0.0.1", "2002:a00:1::", "64:ff9b::a00:1",
        "not an address",
    ],
)  # fmt: skip
def test_private_addresses_are_told_from_public_ones(address: str) -> None:
    assert not is_public(address)


def test_public_addresses_are_public() -> None:
    assert is_public("93.184.215.14")
    assert is_public("2606:2800:21f:cb07:6820:80da:af6b:8b2c")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "http://", "https://user:word@example.org", "http://localhost/x",
        "http://127.0.0.1:8188/", "http://[::1]/", "http://169.254.169.254/latest", "http://a:b/",
        "http://example.org:99999/", "https://example.org/" + "x" * 2_000,
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_a_webhook_is_refused(url: str) -> None:
    with pytest.raises(InputError) as caught:
        check_webhook(url, ())
    assert caught.value.code == "bad_webhook"


def test_an_old_signature_is_not_taken_again() -> None:
    old = signature(SECRET, b"{}", int(time.time()) - 3600)
    assert not is_signed(SECRET, b"{}", old)
    assert not is_signed(SECRET, b"{}", "nonsense")


async def test_a_secret_is_made_once_where_none_is_given(service: Service) -> None:
    made = []
    for _ in range(2):
        hooks = Webhooks(service.database, service.jobs, service.hub, show=show)
        await hooks.start()
        await hooks.stop()
        made.append(hooks.secret)
    assert made[0] == made[1]
    assert len(made[0]) == 64
