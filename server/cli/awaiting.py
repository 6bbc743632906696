"""What a job on a server waits for, said while it is queued."""

import sys
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from server.client import Client, ClientError, Event
from server.client.models import Health, Queue, Snapshot

from .console import say

FIRST_SECONDS = 1.0
"""A job that starts at once says nothing."""
NEXT_SECONDS = 2.0
_STARTED = ("job.started", "node.")


class Awaiting:
    """Says on standard error what a job waits for, and again when that changes; use it in a `with`."""

    def __init__(self, client: Client, job: str) -> None:
        self.client, self.job = client, job
        self.queued = True
        self.said = ""
        self.left = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._work, name="queued", daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.left.set()

    def hear(self, event: Event) -> None:
        """Hear what happens in the job: it waits no longer, or again."""
        if event.type == "job.requeued":
            self.queued, self.said = True, ""
        elif event.type.startswith(_STARTED):
            self.queued = False

    def _work(self) -> None:
        pause = FIRST_SECONDS
        while not self.left.wait(pause):
            pause = NEXT_SECONDS
            if self.queued:
                with suppress(ClientError, RuntimeError):  # its events tell that the server is gone
                    self._look()

    def _look(self) -> None:
        job = self.client.job(self.job).snapshot
        if job.state != "queued":
            return
        text = awaited(job, self.client.queue(), self.client.health())
        if text != self.said and self.queued and not self.left.is_set():
            self.said = text
            say(text, sys.stderr)


def awaited(job: Snapshot, queue: Queue, health: Health) -> str:
    """What a queued job waits for, as a line for people."""
    if health.fault is not None:
        return f"queued: {health.fault}"
    if queue.paused:
        return "queued: the queue is paused"
    if not health.workers:
        return "queued: no worker is ready yet"
    before = (job.position or 1) - 1
    return f"queued, {before} before it" if before else "queued: it is the next to start"
