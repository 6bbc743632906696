"""Tells ComfyUI's clients of their users' jobs: each job once, for however many listen."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import structlog

from server.jobs.model import ENDS, Filter, Job
from server.live import Event
from server.service import Service
from server.streams import Streams

from .posted import Origin
from .telling import Message, Telling, message, status, with_metadata

MOST = 2_000
"""Messages that may wait for a client until it is cut off."""
_KEPT = 100_000
_COUNTED = frozenset({"job.queued", "job.requeued", "job.started", "job.deleted"})
_FOR_ALL = frozenset({"progress_state", "execution_interrupted"})
"""What all of a user's clients hear of a prompt that none of them owns up to."""
_PASSING = frozenset({"progress", "progress_state"})
log = structlog.get_logger("comfyui")


@dataclass(eq=False)
class Listener:
    """One client's websocket, as the teller sees it. One that is too slow is `lagging`."""

    user: str
    client: str
    metadata: bool = False
    """Whether it knows previews that tell of their node."""
    lagging: bool = False
    waiting: dict[object, Message] = field(default_factory=dict)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    count: int = 0

    def offer(self, told: Message) -> None:
        """Take a message in. Of progress and previews only the latest waits."""
        self.count += 1
        key: object = self.count
        if isinstance(told, bytes):
            key = "preview"
        elif told["type"] in _PASSING:
            key = (told["type"], told["data"].get("node"))
        self.waiting.pop(key, None)
        if len(self.waiting) >= MOST:
            self.lagging = True
        else:
            self.waiting[key] = told
        self.arrived.set()

    async def next(self) -> Message | None:
        """The next message; None if there are too many."""
        while not self.waiting:
            self.arrived.clear()
            await self.arrived.wait()
        if self.lagging:
            return None
        return self.waiting.pop(next(iter(self.waiting)))


class Teller:
    """Follows all jobs and hands what ComfyUI would say of them to those who may hear it."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.listeners: set[Listener] = set()
        self.tellings: dict[str, tuple[Event, Telling]] = {}
        """Of the jobs that run, with an event of theirs."""
        self.unknown: set[str] = set()
        """Running jobs that came by another way."""
        self.untold: dict[str, set[str]] = {}
        """For each user the jobs whose end was not told yet, though it may have come."""
        self.watched: set[str] = set()
        self.task: asyncio.Task[None] | None = None
        self.streams = Streams()

    def start(self) -> None:
        """Begin to follow."""
        self.task = asyncio.create_task(self._follow(), name="comfyui")

    async def stop(self) -> None:
        """Follow no more, and end the websockets."""
        self.streams.stop()
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait({self.task})

    async def greet(self, listener: Listener) -> None:
        """Tell a client that has come (again) how things are, and from then on what happens."""
        remaining = await self.remaining(listener.user)
        listener.offer(status(remaining, listener.client))
        for event, telling in self.tellings.values():
            mine = telling.origin.client == listener.client and event.owner == listener.user
            if mine and telling.node is not None:
                told = {"node": telling.node, "display_node": telling.node}
                listener.offer(message("executing", told | {"prompt_id": telling.prompt_id}))
        self.listeners.add(listener)
        now = await self.remaining(listener.user)
        if now != remaining:  # one came or ended before the client was listened for
            listener.offer(status(now))

    async def remaining(self, user: str) -> int:
        """How many of a user's jobs wait or run."""
        wanted = Filter(owner=user, states=("queued", "running"))
        return (await self.service.jobs.find(wanted, 1)).total

    async def _follow(self) -> None:
        while True:
            with self.service.hub.subscribe(_concerns, _KEPT) as events:
                async for event in events:
                    try:
                        await self._tell(event)
                    except Exception:  # one event's fault must not silence those after it
                        if self.service.closing:  # the database may be closed already
                            return
                        log.exception("an event could not be told", event=event.type)
            log.warning("too much happened to tell ComfyUI's clients of all of it")

    async def _tell(self, event: Event) -> None:
        self._note(event)
        if event.type in ENDS or event.type == "job.requeued":
            await self._end(event)
        elif event.type == "job.started" or event.type.startswith("node."):
            telling = await self._telling(event)
            if telling is not None:
                self._hand(event, telling)
        if event.type in _COUNTED or event.type in ENDS:
            mine = [each for each in self.listeners if each.user == event.owner]
            if mine:
                count = await self.remaining(event.owner)
                told = status(max(count, len(self.untold.get(event.owner, ()))))
                for listener in mine:
                    listener.offer(told)

    def _note(self, event: Event) -> None:
        mine = self.untold.setdefault(event.owner, set())
        if event.type in ENDS or event.type == "job.deleted":
            mine.discard(str(event.job))
        elif event.type in _COUNTED:
            mine.add(str(event.job))
        if not mine:
            del self.untold[event.owner]

    async def _end(self, event: Event) -> None:
        job_id = str(event.job)
        self.unknown.discard(job_id)
        found = self.tellings.pop(job_id, None)
        if job_id in self.watched:
            self.watched.discard(job_id)
            self.service.dispatcher.watch(job_id, -1)
        if found is not None and event.type in ENDS:
            job = await self.service.jobs.get(job_id)
            if job is not None:
                self._hand(event, found[1], job)

    async def _telling(self, event: Event) -> Telling | None:
        job_id = str(event.job)
        if job_id in self.unknown:
            return None
        found = self.tellings.get(job_id)
        if found is not None:
            return found[1]
        kept = await self.service.jobs.origin(job_id)
        origin = Origin.read(kept or {})
        if origin is None:
            self.unknown.add(job_id)
            return None
        telling = Telling(job_id, origin)
        self.tellings[job_id] = (event, telling)
        if wants_previews(origin.extra):
            self.watched.add(job_id)
            self.service.dispatcher.watch(job_id, 1)
        return telling

    def _hand(self, event: Event, telling: Telling, job: Job | None = None) -> None:
        client = telling.origin.client
        mine = [each for each in self.listeners if each.user == event.owner]
        for told in telling.of(event, job):
            for listener in mine:
                if isinstance(told, bytes):
                    if listener.client == client and wants_previews(telling.origin.extra):
                        rich = with_metadata(told, telling) if listener.metadata else told
                        listener.offer(rich)
                elif listener.client == client or (client is None and told["type"] in _FOR_ALL):
                    listener.offer(told)


def wants_previews(extra: dict[str, Any]) -> bool:
    """Whether the sender of a prompt wants to see its steps; ComfyUI's own default is not to."""
    return extra.get("preview_method") not in {None, "", "none", "default"}


def _concerns(event: Event) -> bool:
    return event.job is not None
