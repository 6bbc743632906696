"""What happens, as it happens: server-sent events, and a websocket."""

import asyncio
import json
import struct
from contextlib import suppress
from typing import Annotated, Any

from aiohttp import WSCloseCode, WSMsgType, web
from pydantic import BaseModel, ConfigDict, Field

from server.access import Principal
from server.jobs.model import FINAL
from server.live import Event
from server.service import Service
from server.streams import close

from .following import LAST, TooSlow, Watcher, Watchers, Wish, following
from .jobs import JobId, own_job
from .operation import Answer, operation
from .problems import ApiError

BEAT = 15.0
"""Seconds without an event after which the stream shows that it lives."""
PATIENCE = 30.0
"""Seconds that a client may take to read what waits for it."""
LAGGING = 4008
"""Close code: too slow; come again with the last event's id."""
MOST_SAID = 4096
EventId = Annotated[int, Field(ge=0, lt=2**63)]
_STREAM = Answer(
    "Events: `id`, `event` (its type) and `data` (JSON with id, type, job, time and data).",
    media=("text/event-stream",),
)


class From(BaseModel):
    """Where to begin."""

    model_config = ConfigDict(extra="forbid")

    after: EventId | None = Field(
        default=None, description="The id of the last event that was seen; without it, from now on."
    )


class Chosen(From):
    """Which events, and where to begin."""

    type: tuple[Annotated[str, Field(pattern=r"^[a-z]+(\.[a-z]+)?$", max_length=40)], ...] = Field(
        default=(), max_length=20, description="Only these types, or groups such as `job`."
    )
    everybody: bool = Field(default=False, description="Events of all users; needs `admin`.")


class Socket(Chosen):
    """Which events, where to begin, and whether pictures come along."""

    job: JobId | None = Field(default=None, description="Only of this job.")
    previews: bool = Field(
        default=False, description="Send previews as binary messages; can be changed on the way."
    )

    token: str | None = Field(
        default=None,
        max_length=500,
        description="Who asks, for pages, whose websockets send no headers of their own.",
    )


class Resumed(BaseModel):
    """What browsers send when they come again."""

    last_event_id: EventId | None = Field(default=None, alias="Last-Event-ID")


@operation("GET", "/api/v1/events", scope="read", answers={200: _STREAM})
async def stream_events(
    *,
    service: Service,
    principal: Principal,
    watchers: Watchers,
    request: web.Request,
    query: Chosen,
    headers: Resumed,
) -> web.StreamResponse:
    """Stream your events.

    A client that comes again with the id of its last event gets all that it missed, except progress
    within nodes. One that reads too slowly is sent the event `lagging` and must come again.
    """
    wish = Wish(_owner(principal, query.everybody), types=frozenset(query.type))
    after = headers.last_event_id if headers.last_event_id is not None else query.after
    with following(service, watchers, wish, after) as watcher, watchers.streams.stoppable():
        return await _stream(request, watcher, last=None)


@operation("GET", "/api/v1/jobs/{job}/events", scope="read", answers={200: _STREAM})
async def stream_job_events(
    *,
    service: Service,
    principal: Principal,
    watchers: Watchers,
    request: web.Request,
    job: JobId,
    query: From,
    headers: Resumed,
) -> web.StreamResponse:
    """Stream all events of a job from its beginning; the stream ends with the job."""
    found = await own_job(service, principal, job)
    after = headers.last_event_id if headers.last_event_id is not None else query.after
    with (
        following(service, watchers, Wish(None, found.id), after or 0) as watcher,
        watchers.streams.stoppable(),
    ):
        now = await service.jobs.get(found.id)
        over = now is None or now.state in FINAL
        return await _stream(request, watcher, last=LAST, over=over)


@operation(
    "GET",
    "/api/v1/socket",
    scope="read",
    answers={
        101: Answer(
            "A websocket. Text messages are events as JSON; binary ones are previews: four bytes"
            " with the length of the event's JSON, the JSON, and a JPEG. Close code 4008: too slow,"
            " come again with `after`; 1012: the server restarts."
        )
    },
    problems=("bad_request", "not_found"),
)
async def open_socket(
    *,
    service: Service,
    principal: Principal,
    watchers: Watchers,
    request: web.Request,
    query: Socket,
) -> web.StreamResponse:
    """Open a websocket with your events; one for a job always tells its end, and closes then.

    The client may send `{"previews": true}` or `{"previews": false}` at any time.
    """
    wish = Wish(_owner(principal, query.everybody), types=frozenset(query.type))
    if query.job is not None:
        await own_job(service, principal, query.job)
        wish = Wish(None, query.job, wish.types and wish.types | LAST)
    if not web.WebSocketResponse().can_prepare(request):
        raise ApiError("bad_request", "this address takes websockets only")
    socket = web.WebSocketResponse(heartbeat=BEAT, max_msg_size=MOST_SAID, compress=False)
    await socket.prepare(request)
    with following(service, watchers, wish, query.after) as watcher:
        await _Talk(service, socket, watcher, query.job).run(watchers, previews=query.previews)
    return socket


class _Talk:
    """One websocket: a task that sends, and one that listens."""

    def __init__(
        self, service: Service, socket: web.WebSocketResponse, watcher: Watcher, job: str | None
    ) -> None:
        self.service, self.socket, self.watcher, self.job = service, socket, watcher, job
        self.previews = False

    async def run(self, watchers: Watchers, *, previews: bool) -> None:
        self._want(previews)
        sending = asyncio.create_task(self._send())
        try:
            with watchers.streams.stoppable():
                listening = asyncio.create_task(self._listen())
                try:
                    await asyncio.wait({sending, listening}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    listening.cancel()
            if sending.done() and not self.socket.closed:
                await close(self.socket, *_end_of(sending, self.watcher))
        except asyncio.CancelledError:
            await close(self.socket, WSCloseCode.SERVICE_RESTART, b"the server stops")
            if not watchers.streams.stopping:
                raise
        finally:
            sending.cancel()
            self._want(False)

    async def _send(self) -> None:
        """Send events; for a job until it has ended."""
        job = None if self.job is None else await self.service.jobs.get(self.job)
        over = self.job is not None and (job is None or job.state in FINAL)
        async for event in self.watcher.past():
            await self._tell(event)
            over = over or self._is_end(event)
        while not over:
            event_now = await self.watcher.next(3600)
            if event_now is not None:
                await self._tell(event_now)
                over = self._is_end(event_now)

    def _is_end(self, event: Event) -> bool:
        return self.job is not None and event.type in LAST

    async def _tell(self, event: Event) -> None:
        async with asyncio.timeout(PATIENCE):
            await self.socket.send_str(event.text)
            if self.previews and event.blob:
                text = event.text.encode()
                await self.socket.send_bytes(struct.pack(">I", len(text)) + text + event.blob)

    async def _listen(self) -> None:
        async for message in self.socket:
            if message.type is WSMsgType.TEXT:
                said = _said(message.data)
                if said is not None:
                    self._want(said)

    def _want(self, previews: bool) -> None:
        if previews != self.previews:
            self.previews = previews
            self.service.dispatcher.watch(self.job, 1 if previews else -1)


def _end_of(sending: "asyncio.Task[None]", watcher: Watcher) -> tuple[int, bytes]:
    error = None if sending.cancelled() else sending.exception()
    slow = isinstance(error, (TooSlow, TimeoutError))
    if error is None and not sending.cancelled():
        return WSCloseCode.OK, b"the job has ended"
    if slow:
        return LAGGING, f"too slow: come again with after={watcher.last}".encode()
    return WSCloseCode.INTERNAL_ERROR, b"the events could not be read"


async def _stream(
    request: web.Request, watcher: Watcher, last: frozenset[str] | None, *, over: bool = False
) -> web.StreamResponse:
    """Write events as text/event-stream.

    Args:
        request: Whom to answer.
        watcher: What to write.
        last: The types after which the stream ends.
        over: Whether nothing can come after what has happened already.
    """
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    response = web.StreamResponse(headers=headers)
    response.content_type = "text/event-stream"
    await response.prepare(request)
    with suppress(ConnectionResetError):  # as streams usually end: nobody is there any more
        await _tell(response, watcher, last, over=over)
    return response


async def _tell(
    response: web.StreamResponse, watcher: Watcher, last: frozenset[str] | None, *, over: bool
) -> None:
    await _write(response, ": hello\n\n")
    async for event in watcher.past():
        await _write(response, _text(event))
        if last and event.type in last:
            return
    while not over:
        try:
            now = await watcher.next(BEAT)
        except TooSlow:
            await _write(response, f'event: lagging\ndata: {{"after": {watcher.last}}}\n\n')
            break
        await _write(response, ": beat\n\n" if now is None else _text(now))
        if now is not None and last and now.type in last:
            break


async def _write(response: web.StreamResponse, text: str) -> None:
    """Write, and give up on a client that does not read: it may come again.

    Raises:
        ConnectionResetError: The client is gone, or does not read.
    """
    try:
        async with asyncio.timeout(PATIENCE):
            await response.write(text.encode())
    except TimeoutError:
        raise ConnectionResetError("the client does not read") from None


def _text(event: Event) -> str:
    return f"id: {event.id}\nevent: {event.type}\ndata: {event.text}\n\n"


def _said(text: str) -> bool | None:
    try:
        said: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    wanted = said.get("previews") if isinstance(said, dict) else None
    return wanted if isinstance(wanted, bool) else None


def _owner(principal: Principal, everybody: bool) -> str | None:
    if not everybody:
        return principal.user
    if "admin" not in principal.scopes:
        raise ApiError("forbidden", "the events of all users need the scope 'admin'")
    return None
