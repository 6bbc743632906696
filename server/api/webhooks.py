"""Telling webhooks how jobs ended: signed, until they heard it, and only where it may go."""

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress

import structlog
from aiohttp import (
    ClientError,
    ClientSession,
    ClientTimeout,
    TCPConnector,
)
from sqlalchemy import Connection

from engine.errors import InputError
from server.database import Database
from server.database.remembered import recall, remember
from server.jobs.deliveries import Deliveries, Delivery
from server.jobs.model import ENDS, Job
from server.jobs.queue import Jobs
from server.live import Event, Hub
from server.service import Service

from .outgoing import PublicResolver, check_target
from .views import show

HEADER = "Darkroom-Signature"
SECONDS = 10.0
"""What a webhook is given to answer."""
TOGETHER = 8
IDLE = 60.0
log = structlog.get_logger("webhooks")


class Webhooks:
    """Delivers what is due; the ends of jobs that nobody could be told stay written down."""

    def __init__(
        self,
        database: Database,
        jobs: Jobs,
        hub: Hub,
        *,
        hosts: Sequence[str] = (),
        secret: str | None = None,
        deliveries: Deliveries | None = None,
    ) -> None:
        """Prepare; nothing is sent before `start`.

        Args:
            database: Keeps what is due, and the secret if none is given.
            jobs: The queue.
            hub: Tells when jobs end.
            hosts: Hosts that may be reached although they are in a private network.
            secret: The key of the signatures.
            deliveries: What is due, if it is not the database's.
        """
        self.database, self.jobs, self.hub = database, jobs, hub
        self.hosts, self.secret = tuple(hosts), secret or ""
        self.deliveries = deliveries or Deliveries(database)
        self.woken = asyncio.Event()
        self.loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin, with what an earlier server could not deliver."""
        if not self.secret:
            self.secret = await self.database.write(_kept_secret)
        self.loop = asyncio.create_task(self._work(), name="webhooks")

    async def stop(self) -> None:
        """End; what is being told now is told again after the next start."""
        if self.loop is not None:
            self.loop.cancel()
            with suppress(asyncio.CancelledError):
                await self.loop

    async def _work(self) -> None:
        connector = TCPConnector(resolver=PublicResolver(self.hosts), limit=TOGETHER)
        timeout = ClientTimeout(total=SECONDS)
        with self.hub.subscribe(self._heard):
            async with ClientSession(connector=connector, timeout=timeout) as session:
                while True:
                    self.woken.clear()
                    try:
                        await self._deliver_due(session)
                    except Exception:  # this task has to live: the next round tries again
                        log.exception("webhooks could not be told; trying again")
                        await asyncio.sleep(5)
                    pause = self.deliveries.pause()
                    with suppress(TimeoutError):
                        patience = IDLE if pause is None else min(IDLE, pause + 0.01)
                        await asyncio.wait_for(self.woken.wait(), patience)

    def _heard(self, event: Event) -> bool:
        """Look at an event without taking it."""
        if event.type in ENDS and event.data["job"]["webhook"]:
            self.woken.set()
        return False

    async def _deliver_due(self, session: ClientSession) -> None:
        while due := await self.deliveries.due(TOGETHER):
            await asyncio.gather(*(self._deliver(session, one) for one in due))

    async def _deliver(self, session: ClientSession, delivery: Delivery) -> None:
        job = await self.jobs.get(delivery.job)
        if job is None:
            await self.deliveries.delivered(delivery.id)
            return
        reason, for_good = await self._told(session, delivery, job)
        bound = log.bind(job=job.id, delivery=delivery.id)
        if reason is None:
            await self.deliveries.delivered(delivery.id)
            bound.info("told")
            return
        failed = await self.deliveries.failed(delivery.id, reason, for_good=for_good)
        if failed is not None:
            bound.warning("not told", reason=reason, attempts=failed.attempts, state=failed.state)

    async def _told(
        self, session: ClientSession, delivery: Delivery, job: Job
    ) -> tuple[str | None, bool]:
        """Try once; says why it failed, and whether it always would."""
        body = json.dumps(
            {"event": f"job.{job.state}", "delivery": delivery.id, "job": show(job)}
        ).encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Darkroom",
            "Darkroom-Event": f"job.{job.state}",
            "Darkroom-Delivery": str(delivery.id),
            HEADER: signature(self.secret, body, int(time.time())),
        }
        try:
            check_target(delivery.url, self.hosts)
            async with session.post(
                delivery.url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                if 200 <= answer.status < 300:
                    return None, False
                return f"it answered {answer.status} {answer.reason}", answer.status == 410
        except InputError as error:
            return str(error), True
        except TimeoutError:
            return f"it did not answer within {SECONDS:g} s", False
        except (ClientError, OSError) as error:
            cause = error.__cause__ or error
            while cause.__cause__ is not None:
                cause = cause.__cause__
            return str(cause) or type(cause).__name__, False


def webhooks_of(service: Service) -> Webhooks:
    """The webhooks of a server."""
    secret = service.settings.webhook_secret
    return Webhooks(
        service.database,
        service.jobs,
        service.hub,
        hosts=service.settings.webhook_hosts,
        secret=None if secret is None else secret.get_secret_value(),
    )


def signature(secret: str, body: bytes, timestamp: int) -> str:
    """What the header says: when it was signed, and the HMAC-SHA256 of that and the body."""
    signed = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"t={timestamp},v1={signed.hexdigest()}"


def is_signed(secret: str, body: bytes, header: str, *, within: float = 300.0) -> bool:
    """Whether a header is ours for a body, and not an old one sent again: for receivers."""
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    try:
        timestamp = int(parts.get("t", ""))
    except ValueError:
        return False
    good = hmac.compare_digest(signature(secret, body, timestamp), header)
    return good and abs(time.time() - timestamp) <= within


def _kept_secret(connection: Connection) -> str:
    known = recall(connection, "webhook_secret", None)
    if isinstance(known, str) and known:
        return known
    made = secrets.token_hex(32)
    remember(connection, "webhook_secret", made)
    return made
