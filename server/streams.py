"""Answers that go on until the client leaves or the server stops."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class Streams:
    """The open ones, to be ended when the server stops."""

    tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    stopping: bool = False

    @contextmanager
    def stoppable(self) -> Iterator[None]:
        """Within, the present task is cancelled when the server stops."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a handler runs in one
        self.tasks.add(task)
        try:
            yield
        finally:
            self.tasks.discard(task)

    def stop(self) -> None:
        """End every stream."""
        self.stopping = True
        for task in tuple(self.tasks):
            task.cancel()


async def close(socket: web.WebSocketResponse, code: int, reason: bytes) -> None:
    """Close a websocket without waiting long for a client that does not hear."""
    with suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(5):
            await socket.close(code=code, message=reason, drain=False)
