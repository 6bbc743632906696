"""The websocket of ComfyUI's clients."""

import asyncio
import json
import uuid
from typing import Any

from aiohttp import WSMsgType, web

from server.streams import close

from .call import Call, Route, refused
from .machine import features
from .teller import Listener
from .telling import message

BEAT = 30.0
PATIENCE = 30.0
"""Seconds that a client may take to read a message."""
LAGGING = 4008
_MOST_SAID = 64 * 1024


async def connect(call: Call) -> web.StreamResponse:
    """Open a websocket: what happens to the prompts that were sent with its client id."""
    if not web.WebSocketResponse().can_prepare(call.request):
        return refused(400, "this address takes websockets only")
    socket = web.WebSocketResponse(heartbeat=BEAT, max_msg_size=_MOST_SAID, compress=False)
    await socket.prepare(call.request)
    client = call.query.get("clientId") or uuid.uuid4().hex
    listener = Listener(call.user, client)
    teller = call.border.teller
    tasks: list[asyncio.Task[None]] = []
    try:
        with teller.streams.stoppable():
            await teller.greet(listener)  # its status is the first that a client hears
            tasks.append(asyncio.create_task(_send(socket, listener)))
            tasks.append(asyncio.create_task(_listen(socket, listener, call)))
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if not socket.closed:
            await close(socket, LAGGING, b"too slow: connect again")
    except asyncio.CancelledError:
        await close(socket, 1012, b"the server stops")
        if not teller.streams.stopping:
            raise
    finally:
        teller.listeners.discard(listener)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return socket


async def _send(socket: web.WebSocketResponse, listener: Listener) -> None:
    while (told := await listener.next()) is not None:
        async with asyncio.timeout(PATIENCE):
            if isinstance(told, bytes):
                await socket.send_bytes(told)
            else:
                await socket.send_str(json.dumps(told))


async def _listen(socket: web.WebSocketResponse, listener: Listener, call: Call) -> None:
    """Hear what the client can do, which it says first if at all."""
    async for said in socket:
        if said.type is not WSMsgType.TEXT:
            continue
        told = _read(said.data)
        if told.get("type") == "feature_flags":
            data: Any = told.get("data")
            flags = data if isinstance(data, dict) else {}
            listener.metadata = flags.get("supports_preview_metadata") is True
            listener.offer(message("feature_flags", features(call.service.settings)))


def _read(text: str) -> dict[str, Any]:
    try:
        said: Any = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


ROUTES = (Route("GET", "/ws", connect),)
