import asyncio
import json
import struct
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientWebSocketResponse, WSMsgType, WSServerHandshakeError

from server.access import Principal
from server.live import Event
from server.service import Service
from tests.server.api.conftest import Bench, Caller, Client, until
from tests.server.api.test_jobs import submit

Json = dict[str, Any]


async def told(response: ClientResponse) -> AsyncIterator[Json]:
    """The events of a stream; comments are left out."""
    async for raw in response.content:
        line = raw.decode().rstrip("\n")
        if line.startswith("data: "):
            yield json.loads(line[6:])


async def first(response: ClientResponse, count: int) -> list[Json]:
    found: list[Json] = []
    async with asyncio.timeout(5):
        async for event in told(response):
            found.append(event)
            if len(found) == count:
                break
    return found


async def hear(socket: ClientWebSocketResponse, count: int) -> list[Json]:
    return [await socket.receive_json(timeout=5) for _ in range(count)]


async def written(service: Service, job: str) -> None:
    """Wait until the end of a job is among the events in the database."""
    async with asyncio.timeout(5):
        while True:
            events = await service.jobs.events_after(0, job=job)
            if events and events[-1].type == "job.succeeded":
                return
            await asyncio.sleep(0.01)


async def test_a_jobs_stream_tells_all_from_its_beginning_and_ends_with_it(
    client: Client, bench: Bench, graph: Json
) -> None:
    bench.held.set()
    job = await submit(client, graph)
    await client.get(job["links"]["self"], params={"wait": "10"})
    answer = await client.get(job["links"]["events"])
    assert answer.content_type == "text/event-stream"
    found = [event["type"] async for event in told(answer)]
    assert found == [
        "job.queued", "job.started", "node.started", "node.finished", "job.succeeded",
    ]  # fmt: skip


async def test_a_stream_is_resumed_after_the_last_event_without_gap_or_repetition(
    client: Client, bench: Bench, graph: Json
) -> None:
    job = await submit(client, graph)
    answer = await client.get(job["links"]["events"])
    before = await first(answer, 3)
    answer.close()
    bench.held.set()
    await client.get(job["links"]["self"], params={"wait": "10"})
    headers = {"Last-Event-ID": str(before[-1]["id"])}
    again = await client.get(job["links"]["events"], headers=headers)
    after = [event async for event in told(again)]
    assert [event["type"] for event in after] == ["node.finished", "job.succeeded"]
    ids = [event["id"] for event in before + after]
    assert ids == sorted(set(ids))


async def test_what_the_hub_forgot_comes_from_the_database(
    client: Client, service: Service, bench: Bench, graph: Json
) -> None:
    bench.held.set()
    job = await submit(client, graph)
    await client.get(job["links"]["self"], params={"wait": "10"})
    await written(service, job["id"])
    kept = list(service.hub.kept)
    service.hub.kept.clear()
    service.hub.kept.extend(kept[-1:])
    answer = await client.get("/api/v1/events?after=0&type=job&type=node")
    found = await first(answer, 5)
    answer.close()
    assert [event["id"] for event in found] == [
        event.id for event in kept if event.type != "workers.changed"
    ]


async def test_events_of_before_a_restart_are_told(
    client: Client, service: Service, bench: Bench, graph: Json
) -> None:
    bench.held.set()
    job = await submit(client, graph)
    await client.get(job["links"]["self"], params={"wait": "10"})
    await written(service, job["id"])
    service.hub.kept.clear()
    service.hub.next = await service.jobs.first_event()
    answer = await client.get(job["links"]["events"])
    found = [event["type"] async for event in told(answer)]
    assert (found[0], found[-1], len(found)) == ("job.queued", "job.succeeded", 5)


async def test_events_of_others_are_never_told(
    client: Client, service: Service, caller: Caller, graph: Json
) -> None:
    caller.principal = Principal("eve", frozenset({"read"}))
    stream = await client.get("/api/v1/events?after=0")
    socket = await client.ws_connect("/api/v1/socket?after=0")
    caller.principal = Principal("ada", frozenset({"read", "run"}))
    await submit(client, graph)
    service.hub.publish("queue.paused")
    assert [event["type"] for event in await first(stream, 1)] == ["queue.paused"]
    assert [event["type"] for event in await hear(socket, 1)] == ["queue.paused"]
    stream.close()
    await socket.close()
    caller.principal = Principal("eve", frozenset({"read"}))
    assert (await client.get("/api/v1/events?everybody=true")).status == 403


async def test_types_are_chosen_alone_and_by_group(client: Client, service: Service) -> None:
    stream = await client.get("/api/v1/events?type=queue&type=workers.changed")
    for kind in ("catalogue.changed", "queue.paused", "workers.changed"):
        service.hub.publish(kind)
    found = await first(stream, 2)
    stream.close()
    assert [event["type"] for event in found] == ["queue.paused", "workers.changed"]
    assert (await client.get("/api/v1/events?type=no!")).status == 422


async def test_previews_come_only_when_asked_for(
    client: Client, bench: Bench, service: Service, graph: Json
) -> None:
    job = await submit(client, graph)
    await asyncio.wait_for(bench.began.wait(), 5)
    plain = await client.ws_connect(f"/api/v1/socket?job={job['id']}")
    socket = await client.ws_connect(f"/api/v1/socket?job={job['id']}")
    await socket.send_json({"previews": True})
    await until(lambda: bool(bench.watched))
    progress = {"node": "write", "type": "Write", "done": 1, "total": 2}
    bench.say("node.progressed", progress, b"\xff\xd8\xff a picture")
    (event,) = await hear(socket, 1)
    assert event["data"] == progress
    message = await socket.receive(timeout=5)
    assert message.type is WSMsgType.BINARY
    (length,) = struct.unpack(">I", message.data[:4])
    assert json.loads(message.data[4 : 4 + length])["id"] == event["id"]
    assert message.data[4 + length :] == b"\xff\xd8\xff a picture"
    bench.held.set()
    await hear(plain, 1)
    assert (await plain.receive(timeout=5)).type is WSMsgType.TEXT
    await socket.close()
    await plain.close()
    await until(lambda: not service.dispatcher.watched.get(job["id"]))


async def test_progress_of_a_running_job_is_shown(
    client: Client, bench: Bench, graph: Json
) -> None:
    job = await submit(client, graph)
    await asyncio.wait_for(bench.began.wait(), 5)
    progress = {"node": "write", "type": "Write", "done": 1, "total": 2}
    bench.say("node.progressed", progress)
    shown = await (await client.get(job["links"]["self"])).json()
    assert shown["progress"] == progress


async def test_a_client_that_does_not_read_is_let_go_and_can_come_again(
    client: Client, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.api.following.MOST", 50)
    after = service.hub.next - 1
    socket = await client.ws_connect(f"/api/v1/socket?after={after}")
    await asyncio.sleep(0.05)
    for number in range(60):
        service.hub.publish("warned", data={"message": str(number)})
    seen: list[Json] = []
    async with asyncio.timeout(5):
        while True:
            message = await socket.receive()
            if message.type is not WSMsgType.TEXT:
                break
            seen.append(json.loads(message.data))
    assert socket.close_code == 4008
    last = int(str(message.extra).partition("after=")[2])
    assert last == seen[-1]["id"]
    again = await client.ws_connect(f"/api/v1/socket?after={last}")
    seen += await hear(again, 60 - len(seen))
    await again.close()
    assert [event["data"]["message"] for event in seen] == [str(number) for number in range(60)]


async def test_a_stream_that_stays_silent_shows_that_it_lives(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.api.events.BEAT", 0.05)
    answer = await client.get("/api/v1/events")
    async with asyncio.timeout(5):
        async for raw in answer.content:
            if raw == b": beat\n":
                break
    answer.close()


async def test_a_client_that_leaves_a_stream_is_no_fault(
    client: Client,
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("server.api.events.BEAT", 0.02)
    watching = len(service.hub.subscriptions)
    answer = await client.get("/api/v1/events")
    await answer.content.readline()
    answer.close()
    await until(lambda: len(service.hub.subscriptions) == watching)
    await asyncio.sleep(0.05)
    assert caplog.records == []


async def test_sockets_are_closed_when_the_server_stops(client: Client) -> None:
    socket = await client.ws_connect("/api/v1/socket")
    stream = await client.get("/api/v1/events")
    await asyncio.sleep(0.05)
    async with asyncio.timeout(10):
        closing = asyncio.create_task(client.server.close())
        message = await socket.receive()
        await closing
    assert message.type is WSMsgType.CLOSE
    assert socket.close_code == 1012
    stream.close()


async def test_a_plain_request_to_the_socket_is_refused(client: Client) -> None:
    assert (await client.get("/api/v1/socket")).status == 400
    answer = await client.get("/api/v1/socket?job=nothing")
    assert answer.status == 404


async def test_many_watchers_all_hear_everything(client: Client, service: Service) -> None:
    sockets = [await client.ws_connect("/api/v1/socket") for _ in range(50)]
    sent: list[Event] = [service.hub.publish("warned", data={"n": n}) for n in range(20)]
    for socket in sockets:
        assert [each["id"] for each in await hear(socket, 20)] == [event.id for event in sent]
        await socket.close()


async def test_a_socket_for_all_users_is_refused_without_admin(
    client: Client, caller: Caller
) -> None:
    caller.principal = Principal("eve", frozenset({"read"}))
    with pytest.raises(WSServerHandshakeError) as refused:
        await client.ws_connect("/api/v1/socket?everybody=true")
    assert refused.value.status == 403


async def test_an_administrators_socket_tells_of_anothers_job_until_its_end(
    client: Client, caller: Caller, bench: Bench, graph: Json
) -> None:
    caller.principal = Principal("ada", frozenset({"read", "run"}))
    job = await submit(client, graph)
    caller.principal = Principal("root", frozenset({"read", "admin"}))
    bench.held.set()
    socket = await client.ws_connect(f"/api/v1/socket?job={job['id']}&after=0")
    found = await hear(socket, 5)
    assert found[-1]["type"] == "job.succeeded"
    assert (await socket.receive(timeout=5)).type is WSMsgType.CLOSE
    assert socket.close_code == 1000
    again = await client.ws_connect(f"/api/v1/socket?job={job['id']}")
    assert (await again.receive(timeout=5)).type is WSMsgType.CLOSE


async def test_only_streams_that_clients_opened_count_as_watchers(
    client: Client, service: Service
) -> None:
    async def counted() -> str:
        text = await (await client.get("/api/v1/metrics")).text()
        return next(line for line in text.splitlines() if line.startswith("darkroom_watchers "))

    with service.hub.subscribe(lambda _: True):  # as a webhook's
        assert await counted() == "darkroom_watchers 0.0"
        socket = await client.ws_connect("/api/v1/socket")
        stream = await client.get("/api/v1/events")
        assert await counted() == "darkroom_watchers 2.0"
        stream.close()
        await socket.close()
