"""A job on the server, for programs with an event loop."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from .connection import ROOT, Connection, Request
from .errors import ApiError
from .files import read_file, save_file
from .following import follow_job
from .models import Event, Given, Json, NodeRecord, Snapshot
from .shown import ShownJob, ShownOutput

LONGEST_WAIT = 25.0
"""Seconds that one request waits for a job's end; short enough for what stands in between."""
SHORTEST_WAIT = 0.1
"""Seconds between two requests to a server that answers at once."""


class AsyncOutput(ShownOutput):
    """One output of a job."""

    def __init__(self, connection: Connection, name: str, given: Given) -> None:
        super().__init__(name, given)
        self.connection = connection

    async def bytes(self, index: int = 0) -> bytes:
        """The bytes of its first file, or of another one.

        Raises:
            ApiError: The file is not kept any more.
        """
        return await read_file(self.connection, self.file(index))

    async def save(self, folder: str | Path) -> list[Path]:
        """Put its files into a folder; nothing there is overwritten. Returns where they are.

        Raises:
            ApiError: A file is not kept any more.
        """
        return [await save_file(self.connection, file, Path(folder)) for file in self.files]


class AsyncJob(ShownJob):
    """A job; what is asked of it goes to the server, what it shows is what was told last."""

    def __init__(self, connection: Connection, snapshot: Snapshot) -> None:
        super().__init__(snapshot)
        self.connection = connection

    @property
    def outputs(self) -> Mapping[str, AsyncOutput]:
        """What it gave, by name."""
        given = self.snapshot.outputs
        return {name: AsyncOutput(self.connection, name, each) for name, each in given.items()}

    async def refresh(self) -> "AsyncJob":
        """Hear of it again."""
        return await self._show(Request("GET", self._at()))

    async def wait(self) -> "AsyncJob":
        """Wait until it has ended, however; `asyncio.timeout` bounds that.

        Raises:
            ConnectionFailed: The server was lost and did not come back in time.
        """
        while not self.ended:
            again = time.monotonic() + SHORTEST_WAIT
            await self._show(Request("GET", self._at(), query={"wait": LONGEST_WAIT}))
            await asyncio.sleep(0 if self.snapshot.ended else again - time.monotonic())
        return self

    async def result(self) -> Mapping[str, AsyncOutput]:
        """What it gave, once it has succeeded.

        Raises:
            JobFailed: It has failed; the error has the problems.
            JobCancelled: It was cancelled.
        """
        await self.wait()
        self.check()
        return self.outputs

    async def events(
        self, after: int = 0, *, previews: bool = False
    ) -> AsyncGenerator[Event, None]:
        """What happens in it, from its beginning or after an event's id, up to its end.

        Lost connections and restarts of the server are survived: no event is left out but progress
        within nodes, and none comes twice. With `previews` an event that has a picture comes a
        second time, with the picture.

        Raises:
            ConnectionFailed: The server was lost and did not come back in time.
        """
        source = follow_job(self.connection, self.id, after, previews=previews)
        async with aclosing(source) as events:
            async for event in events:
                self.snapshot = event.snapshot or self.snapshot
                yield event

    async def nodes(self) -> list[NodeRecord]:
        """What became of each of its nodes."""
        told = await self.connection.ask(Request("GET", self._at("nodes")))
        return [NodeRecord.read(each) for each in told["nodes"]]

    async def document(self) -> Json:
        """The workflow as it was queued, with its values."""
        document: Json = await self.connection.ask(Request("GET", self._at("document")))
        return document

    async def cancel(self) -> "AsyncJob":
        """Cancel it. If it runs it ends when its node yields: wait for that.

        Raises:
            ApiError: It has ended otherwise.
        """
        try:
            return await self._show(Request("POST", self._at("cancel"), repeatable=True))
        except ApiError as error:
            if error.code != "conflict" or (await self.refresh()).state != "cancelled":
                raise
        return self

    async def retry(self) -> "AsyncJob":
        """Queue it once more, as a new job.

        Raises:
            ApiError: It has not ended.
        """
        told = await self.connection.ask(Request("POST", self._at("retry")))
        return AsyncJob(self.connection, Snapshot.read(told))

    async def move(
        self,
        to: Literal["front", "back"] | None = None,
        *,
        before: str | None = None,
        priority: int | None = None,
    ) -> "AsyncJob":
        """Give it another place in the queue: an end, before another job, another priority.

        Raises:
            ApiError: It is not queued any more.
        """
        given: dict[str, Any] = {"to": to, "before": before, "priority": priority}
        body = {name: value for name, value in given.items() if value is not None}
        return await self._show(Request("POST", self._at("move"), body=body, repeatable=True))

    async def delete(self) -> None:
        """Have the server forget it. What it delivered stays.

        Raises:
            ApiError: It has not ended.
        """
        await self.connection.ask(Request("DELETE", self._at()))

    async def _show(self, request: Request) -> "AsyncJob":
        self.snapshot = Snapshot.read(await self.connection.ask(request))
        return self

    def _at(self, part: str = "") -> str:
        return f"{ROOT}/jobs/{quote(self.id, safe='')}{part and f'/{part}'}"
