import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from server.api.webhooks import (
    HEADER,
    Webhooks,
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
    service: Service,
    deliveries: Deliveries,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await service.dispatcher.pause(True)
    monkeypatch.setattr("server.jobs.deliveries._FIRST_PAUSE", 0.05)
    receiver.answers = [500, 302]
    hooks = Webhooks(
        service.database, service.jobs, service.hub,
        hosts=("127.0.0.1",), secret=SECRET, deliveries=deliveries,
    )  # fmt: skip
    await hooks.start()
    job = await end_one(service, receiver.url)
    for _ in range(3):
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
    hooks = Webhooks(service.database, service.jobs, service.hub, deliveries=deliveries)
    await hooks.start()
    job = await end_one(service, receiver.url)
    await settled(deliveries, job, "failed")
    await hooks.stop()
    assert receiver.heard.empty()
    assert "private network" in str((await deliveries.of(job))[0].reason)


def test_an_old_signature_is_not_taken_again() -> None:
    old = signature(SECRET, b"{}", int(time.time()) - 3600)
    assert not is_signed(SECRET, b"{}", old)
    assert not is_signed(SECRET, b"{}", "nonsense")


async def test_a_secret_is_made_once_where_none_is_given(service: Service) -> None:
    made = []
    for _ in range(2):
        hooks = Webhooks(service.database, service.jobs, service.hub)
        await hooks.start()
        await hooks.stop()
        made.append(hooks.secret)
    assert made[0] == made[1]
    assert len(made[0]) == 64
