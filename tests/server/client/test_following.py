import asyncio
import json
import struct

import pytest
from aiohttp import web

from server.client import AsyncClient, AsyncJob, ConnectionFailed, Event

from .faking import Handler, event, faking, job, streamed, told

END = event(4, "job.succeeded", job=job("succeeded"))
PROGRESS = event(2, "node.progressed", node="a", type="A", done=1, total=4)


async def watched(client: AsyncClient) -> tuple[AsyncJob, list[Event]]:
    found = await client.job("j1")
    return found, [each async for each in found.events()]


async def test_events_come_in_order_and_end_with_the_job() -> None:
    stream = streamed(": hello\n\n", event(1, "job.queued", job=job()), PROGRESS, END)

    async with faking(told(job()), stream) as fake, AsyncClient(fake.url) as client:
        found, events = await watched(client)

    assert [each.id for each in events] == [1, 2, 4]
    assert events[1].node == "a"
    assert events[1].fraction == 0.25
    assert found.state == "succeeded"


async def test_a_stream_that_is_cut_off_goes_on_after_the_last_event() -> None:
    first = streamed(event(1, "job.queued"), PROGRESS, "id: 3\ndata: {", cut_off=True)
    rest = streamed(event(3, "node.finished", node="a"), END)

    async with (
        faking(told(job()), first, told(job("running")), rest) as fake,
        AsyncClient(fake.url) as client,
    ):
        _, events = await watched(client)

    assert [each.id for each in events] == [1, 2, 3, 4]
    assert [r.headers["Last-Event-ID"] for r in fake.seen if r.path.endswith("/events")] == [
        "0",
        "2",
    ]


async def test_a_lagging_watcher_comes_again() -> None:
    first = streamed(event(1, "job.queued"), 'event: lagging\ndata: {"after": 1}\n\n')

    async with (
        faking(told(job()), first, told(job("running")), streamed(END)) as fake,
        AsyncClient(fake.url) as client,
    ):
        _, events = await watched(client)

    assert [each.id for each in events] == [1, 4]


async def test_the_end_is_told_even_if_its_event_is_not_kept() -> None:
    async with (
        faking(told(job()), streamed(": hello\n\n"), told(job("failed"))) as fake,
        AsyncClient(fake.url) as client,
    ):
        found, events = await watched(client)

    assert [each.type for each in events] == ["job.failed"]
    assert found.state == "failed"


async def test_parts_of_lines_and_signs_are_put_together() -> None:
    text = event(1, "warned", message="größer").encode()
    pieces = [text[i : i + 1] for i in range(len(text))]

    async with (
        faking(told(job()), streamed(*pieces, END.replace("\n", "\r\n"))) as fake,
        AsyncClient(fake.url) as client,
    ):
        _, events = await watched(client)

    assert events[0].data["message"] == "größer"


async def test_a_server_that_goes_and_comes_back_is_survived() -> None:
    async with AsyncClient("http://127.0.0.1:9", patience=5) as client:
        async with faking(told(job()), streamed(event(1, "job.queued"), cut_off=True)) as fake:
            client.connection.url = fake.url
            events = (await client.job("j1")).events()
            assert (await anext(events)).id == 1
            port = int(fake.url.rpartition(":")[2])
        coming = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0.4)
        async with faking(told(job("running")), streamed(END), port=port):
            assert (await coming).id == 4
        await events.aclose()


async def test_a_server_that_stays_away_is_told() -> None:
    async with AsyncClient("http://127.0.0.1:9", patience=0.3) as client:
        async with faking(told(job()), streamed(event(1, "job.queued"), cut_off=True)) as fake:
            client.connection.url = fake.url
            events = (await client.job("j1")).events()
            await anext(events)
        with pytest.raises(ConnectionFailed):
            await anext(events)


def socket(*messages: str | bytes) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        opened = web.WebSocketResponse()
        await opened.prepare(request)
        for message in messages:
            if isinstance(message, str):
                await opened.send_str(message)
            else:
                await opened.send_bytes(message)
        await opened.close()
        return opened

    return handle


async def test_previews_come_as_bytes_with_their_event() -> None:
    progress = json.dumps({"id": 2, "type": "node.progressed", "job": "j1", "data": {"node": "a"}})
    picture = struct.pack(">I", len(progress)) + progress.encode() + b"\xff\xd8\xffpicture"
    end = json.dumps({"id": 4, "type": "job.succeeded", "job": "j1", "data": {}})

    async with (
        faking(told(job()), told(job("running")), socket(progress, picture, end)) as fake,
        AsyncClient(fake.url) as client,
    ):
        found = await client.job("j1")
        events = [each async for each in found.events(previews=True)]

    assert [(each.id, each.preview) for each in events] == [
        (2, b""),
        (2, b"\xff\xd8\xffpicture"),
        (4, b""),
    ]
    assert fake.seen[-1].query["previews"] == "true"


async def test_events_of_the_whole_server_have_no_end() -> None:
    async with (
        faking(streamed(event(5, "queue.paused")), streamed(event(6, "queue.resumed"))) as fake,
        AsyncClient(fake.url) as client,
    ):
        events = client.events("queue", "job")
        found = [await anext(events), await anext(events)]
        await events.aclose()

    assert [each.id for each in found] == [5, 6]
    assert "Last-Event-ID" not in fake.seen[0].headers
    assert fake.seen[0].query.getall("type") == ["queue", "job"]
    assert fake.seen[1].headers["Last-Event-ID"] == "5"
