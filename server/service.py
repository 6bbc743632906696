"""The running server's parts, and what its borders ask of them."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import web

from engine.errors import GraphError, Problem
from engine.workflow import Workflow
from server.access import Refused
from server.access.access import Access
from server.admission import QUICK, Admitted, Limits, admit, count_nodes, is_quick
from server.catalogue import Catalogue
from server.dispatch import Dispatcher
from server.jobs.model import Job, NewJob
from server.jobs.past import Retention
from server.jobs.queue import Jobs
from server.live import Hub
from server.workers.pool import Change, Pool
from server.workers.spec import WorkerLost

if TYPE_CHECKING:
    from server.database import Database
    from server.settings import Settings

Json = dict[str, Any]
_HOUR = 3600.0
log = structlog.get_logger("service")


@dataclass(frozen=True)
class Asked:
    """A graph that somebody wants run."""

    workflow: Workflow
    priority: int = 0
    front: bool = False
    id: str | None = None
    idempotency_key: str | None = None
    fingerprint: str = ""
    """What makes the request known if it comes again; by default the workflow and what is asked of it."""
    webhook: str | None = None
    origin: Json = field(default_factory=dict)


class NotAdmitted(GraphError):  # noqa: N818 - as its name says it
    """A graph that cannot run; `place` is its place among those that were asked for."""

    def __init__(self, problems: Sequence[Problem], place: int) -> None:
        super().__init__(problems)
        self.place = place


@dataclass
class Service:
    """What the HTTP borders work with."""

    settings: "Settings"
    database: "Database"
    access: Access
    jobs: Jobs
    pool: Pool
    hub: Hub
    dispatcher: Dispatcher
    limits: Limits
    catalogue: Catalogue | None = None
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once there is a catalogue."""
    closing: bool = False
    forgetting: asyncio.Task[None] | None = None
    refreshing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Go on with the queue; its jobs wait until the pool is started too."""
        self.catalogue = Catalogue.remembered(self._remembered)
        if self.catalogue is not None:
            self.arrived.set()
        await self.dispatcher.start()
        self.forgetting = asyncio.create_task(self._forget(), name="retention")

    async def stop(self) -> None:
        """End what runs, or have it queued again; write everything down."""
        await self.settle()
        await self.close()

    async def settle(self) -> None:
        """End what runs, or have it queued again; the borders can still tell of it."""
        self.closing = True
        for task in (self.forgetting, self.refreshing):
            if task is not None:
                task.cancel()
        await self.dispatcher.stop()
        await self.pool.stop(hurry=True)

    async def close(self) -> None:
        """Let go of the database, once nobody works with it any more."""
        await self.access.close()
        self.database.close()

    # Jobs

    async def accept(self, owner: str, asked: Sequence[Asked]) -> list[Job]:
        """Take graphs into the queue, all or none; they are durable when this returns.

        Raises:
            NotAdmitted: With the problems of the first graph that has some.
            IdempotencyConflict: The key, or the id, stands for another request.
            Refused: The server is stopping, or its node types are not known yet.
        """
        if self.closing:
            raise Refused(503, "stopping", "the server is stopping: ask again once it is back")
        catalogue = await self.types()

        def admitted() -> list[NewJob]:
            return [self._admitted(owner, one, place, catalogue) for place, one in enumerate(asked)]

        # Each of many small graphs is quick, and all of them would hold up everybody.
        few = sum(count_nodes(one.workflow) for one in asked) <= QUICK
        if few and all(is_quick(one.workflow) for one in asked):
            new = admitted()
        else:
            new = await asyncio.to_thread(admitted)
        accepted = await self.jobs.accept(new)
        for job, made in accepted:
            if made:
                self.dispatcher.tell("job.queued", job)
        self.dispatcher.wake()
        return [job for job, _ in accepted]

    async def check(self, workflow: Workflow) -> None:
        """See that a graph would be taken into the queue.

        Raises:
            GraphError: With every problem found.
            Refused: The node types are not known yet.
        """
        catalogue = await self.types()
        if is_quick(workflow):
            admit(workflow, catalogue, self.limits)
        else:
            await asyncio.to_thread(admit, workflow, catalogue, self.limits)

    async def types(self, patience: float = 60.0) -> Catalogue:
        """The node types; at the very first start a worker has to tell them first.

        Raises:
            Refused: No worker told them within `patience` seconds.
        """
        while self.catalogue is None:
            try:
                await asyncio.wait_for(self.arrived.wait(), patience)
            except TimeoutError:
                message = "no worker has told the node types yet"
                hint = "see /api/v1/workers for what keeps them"
                raise Refused(503, "unavailable", message, hint, {"Retry-After": "10"}) from None
        return self.catalogue

    def _admitted(self, owner: str, asked: Asked, place: int, catalogue: Catalogue) -> NewJob:
        try:
            return self._new(owner, asked, admit(asked.workflow, catalogue, self.limits))
        except GraphError as error:
            raise NotAdmitted(error.problems, place) from error

    def _new(self, owner: str, asked: Asked, admitted: Admitted) -> NewJob:
        told = [admitted.document, asked.priority, asked.front, asked.webhook]
        named = asked.id is not None or asked.idempotency_key is not None
        return NewJob(
            owner=owner,
            document=admitted.document,
            name=admitted.name,
            priority=asked.priority,
            front=asked.front,
            id=asked.id,
            idempotency_key=asked.idempotency_key,
            fingerprint=asked.fingerprint or (fingerprint(told) if named else ""),
            webhook=asked.webhook,
            wants=admitted.wants,
            origin=asked.origin,
        )

    async def _forget(self) -> None:
        """Let go of jobs that need not be remembered, now and every hour; their files stay."""
        settings = self.settings
        retention = Retention(settings.retention_days or None, settings.retention_jobs or None)
        while True:
            try:
                for job in await self.jobs.expire(retention):
                    self.dispatcher.tell("job.deleted", job)
            except Exception:  # this task has to live: whatever it was may be over in an hour
                log.exception("old jobs could not be let go; trying again in an hour")
            await asyncio.sleep(_HOUR)

    # The catalogue

    @property
    def _remembered(self) -> Path:
        return self.settings.data / "catalogue.json"

    def changed(self, what: Change) -> None:
        """Hear from the pool: a worker is free, or the node packages are others."""
        if what == "catalogue":
            if not self.closing:
                self.refreshing = asyncio.create_task(self._refresh(), name="catalogue")
        else:
            self.hub.publish("workers.changed")
            self.dispatcher.wake()

    async def _refresh(self) -> None:
        try:
            answer = await self.pool.ask("catalogue")
        except WorkerLost as lost:  # the desk that comes next tells the pool of its own
            log.warning("the node types could not be asked for", reason=str(lost))
            await asyncio.sleep(1.0)
            self.changed("catalogue")
            return
        if answer.error is not None:
            log.error("the node types could not be read", **answer.error)
            return
        told = Catalogue(answer.value["digest"], tuple(answer.value["nodes"]))
        if self.catalogue != told:  # also where another version of Darkroom described them
            self.catalogue = told
            await asyncio.to_thread(told.remember, self._remembered)
            self.hub.publish("catalogue.changed", data={"digest": told.digest})
        self.arrived.set()


def fingerprint(told: object) -> str:
    """What tells one request from another: SHA-256 of its JSON, in hex."""
    text = json.dumps(told, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


SERVICE = web.AppKey("service", Service)
