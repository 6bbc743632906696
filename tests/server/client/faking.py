"""A server that does as a test says, for what a real one does not do on demand."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Json = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def job(state: str = "queued", **more: Any) -> Json:
    return {"id": "j1", "state": state, "created": "2026-01-01T00:00:00.000Z", **more}


def event(number: int, kind: str, **data: Any) -> str:
    told = {"id": number, "type": kind, "job": "j1", "time": 1.0, "data": data}
    return f"id: {number}\nevent: {kind}\ndata: {json.dumps(told)}\n\n"


def problem(status: int, code: str, detail: str, **more: Any) -> web.Response:
    told = {"title": code, "detail": detail, "code": code, "status": status, "problems": [], **more}
    return web.json_response(told, status=status, content_type="application/problem+json")


@dataclass
class Fake:
    """Answers with one handler after the other; the last one stays."""

    handlers: list[Handler]
    url: str = ""
    seen: list[web.Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        self.bodies.append(await request.read())
        handler = self.handlers.pop(0) if len(self.handlers) > 1 else self.handlers[0]
        return await handler(request)


@asynccontextmanager
async def faking(*handlers: Handler, port: int = 0) -> AsyncIterator[Fake]:
    fake = Fake(list(handlers))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", fake.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield fake
    finally:
        await runner.cleanup()


def told(value: Any, status: int = 200, **headers: str) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return web.json_response(value, status=status, headers=headers)

    return handle


def refused(status: int, code: str, detail: str = "no", **more: Any) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return problem(status, code, detail, **more)

    return handle


async def cut(request: web.Request) -> web.StreamResponse:
    """Lose the connection without an answer."""
    assert request.transport is not None
    request.transport.abort()
    await asyncio.sleep(0)
    raise ConnectionResetError


def streamed(*parts: str | bytes, cut_off: bool = False, status: int = 200) -> Handler:
    """Send parts of a body; then end it, or lose the connection."""

    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=status)
        await response.prepare(request)
        for part in parts:
            await response.write(part.encode() if isinstance(part, str) else part)
            await asyncio.sleep(0.01)
        if cut_off:
            assert request.transport is not None
            request.transport.abort()
        return response

    return handle
