"""Events that survive lost connections: a stream is taken up where it was cut off."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any
from urllib.parse import quote

import aiohttp

from .connection import FIRST_PAUSE, LONGEST_PAUSE, ROOT, Connection, Request
from .models import Event, Json, Snapshot

ENDS = frozenset({"job.succeeded", "job.failed", "job.cancelled", "job.deleted"})


async def follow_job(
    connection: Connection, job: str, after: int = 0, *, previews: bool = False
) -> AsyncGenerator[Event, None]:
    """Every event of a job after the one of that id, up to its end.

    Progress within nodes that happened while the connection was lost is left out; with previews,
    an event that has one comes a second time with it. If the server no
    longer knows the events of a job that has ended, its end is told all the same.

    Raises:
        ApiError: There is no such job.
        ConnectionFailed: The server was lost and did not come back in time.
    """
    at = f"{ROOT}/jobs/{quote(job, safe='')}"
    last, pause = after, FIRST_PAUSE
    while True:
        before = last
        if previews and not (await _read(connection, at)).ended:
            source = _socket(connection, f"{ROOT}/socket", job, last)
        else:
            source = _stream(connection, f"{at}/events", {}, last)
        async with aclosing(source) as events:
            async for event in events:
                last = max(last, event.id)
                yield event
                if event.type in ENDS:
                    return
        now = await _read(connection, at)
        if now.ended and before == last:
            yield _end(now, last)
            return
        pause = FIRST_PAUSE if before != last else min(pause * 2, LONGEST_PAUSE)
        await asyncio.sleep(pause)


async def follow_all(
    connection: Connection, types: tuple[str, ...], after: int | None, *, everybody: bool
) -> AsyncGenerator[Event, None]:
    """The events of a user, or of all, from now on or after the one of that id; without end.

    Raises:
        ApiError: The server refused.
        ConnectionFailed: The server was lost and did not come back in time.
    """
    last, pause = after, FIRST_PAUSE
    while True:
        before = last
        query = {"type": types, "everybody": everybody}
        async with aclosing(_stream(connection, f"{ROOT}/events", query, last)) as events:
            async for event in events:
                last = event.id if last is None else max(last, event.id)
                yield event
        pause = FIRST_PAUSE if before != last else min(pause * 2, LONGEST_PAUSE)
        await asyncio.sleep(pause)


async def _stream(
    connection: Connection, path: str, query: Json, after: int | None
) -> AsyncGenerator[Event, None]:
    """The events of one connection by server-sent events."""
    headers = {"Accept": "text/event-stream"}
    if after is not None:
        headers["Last-Event-ID"] = str(after)
    async with connection.open(Request("GET", path, query=query, headers=headers)) as response:
        data: list[str] = []
        async for raw in _lines(response):
            if raw.startswith("data:"):
                data.append(raw[5:].removeprefix(" "))
            elif not raw and data:
                told, data = json.loads("\n".join(data)), []
                if "type" in told:
                    yield Event.read(told)


async def _lines(response: aiohttp.ClientResponse) -> AsyncGenerator[str, None]:
    """Lines of any length; what was cut off at the end is left out."""
    rest = b""
    try:
        async for chunk in response.content.iter_any():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield line.removesuffix(b"\r").decode("utf-8", errors="replace")
    except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError):
        return


async def _socket(
    connection: Connection, path: str, job: str, after: int
) -> AsyncGenerator[Event, None]:
    """The events of one websocket; a preview belongs to the event that comes with it."""
    query = {"job": job, "after": after, "previews": True}
    socket = await connection.socket(path, query)
    async with socket:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                yield Event.read(json.loads(message.data))
            elif message.type is aiohttp.WSMsgType.BINARY:
                yield _with_preview(message.data)


def _with_preview(data: bytes) -> Event:
    end = 4 + int.from_bytes(data[:4], "big")
    told: Any = json.loads(data[4:end])
    return Event.read({**told, "preview": data[end:]})


async def _read(connection: Connection, at: str) -> Snapshot:
    return Snapshot.read(await connection.ask(Request("GET", at)))


def _end(job: Snapshot, last: int) -> Event:
    """The end of a job whose events are not kept any more."""
    time = job.finished.timestamp() if job.finished is not None else 0.0
    data = {"job": job.model_dump(mode="json")}
    return Event(id=last, type=f"job.{job.state}", job=job.id, time=time, data=data)
