"""Telling webhooks how jobs ended: signed, until they heard it, and only where it may go."""

import asyncio
import hashlib
import hmac
import json
import secrets
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from ipaddress import IPv6Address, IPv6Network
from urllib.parse import urlsplit

import structlog
from aiohttp import (
    ClientError,
    ClientSession,
    ClientTimeout,
    TCPConnector,
    ThreadedResolver,
)
from aiohttp.abc import AbstractResolver, ResolveResult
from sqlalchemy import Connection
from typing_extensions import override

from engine.errors import InputError
from server.access.addresses import Address, read_address
from server.database import Database
from server.database.remembered import recall, remember
from server.jobs.deliveries import Deliveries, Delivery
from server.jobs.model import FINAL, Job
from server.jobs.queue import Jobs
from server.live import Hub

from .operation import Json

HEADER = "Darkroom-Signature"
SECONDS = 10.0
"""What a webhook is given to answer."""
TOGETHER = 8
IDLE = 60.0
_TRANSLATED = IPv6Network("64:ff9b::/96")
_ENDS = frozenset(f"job.{state}" for state in FINAL)
log = structlog.get_logger("webhooks")


class Forbidden(OSError):  # noqa: N818 - as HTTP calls it
    """The webhook lies where the server must not be sent by strangers."""


class Webhooks:
    """Delivers what is due; the ends of jobs that nobody could be told stay written down."""

    def __init__(
        self,
        database: Database,
        jobs: Jobs,
        hub: Hub,
        *,
        show: Callable[[Job], Json],
        hosts: Sequence[str] = (),
        secret: str | None = None,
        deliveries: Deliveries | None = None,
    ) -> None:
        """Prepare; nothing is sent before `start`.

        Args:
            database: Keeps what is due, and the secret if none is given.
            jobs: The queue.
            hub: Tells when jobs end.
            show: Makes the JSON of a job.
            hosts: Hosts that may be reached although they are in a private network.
            secret: The key of the signatures.
            deliveries: What is due, if it is not the database's.
        """
        self.database, self.jobs, self.hub, self.show = database, jobs, hub, show
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
        connector = TCPConnector(resolver=Outward(self.hosts), limit=TOGETHER)
        timeout = ClientTimeout(total=SECONDS)
        with self.hub.subscribe(self._heard):
            async with ClientSession(connector=connector, timeout=timeout) as session:
                while True:
                    self.woken.clear()
                    try:
                        await self._deliver_due(session)
                    except Exception:
                        log.exception("webhooks could not be told; trying again")
                        await asyncio.sleep(5)
                    pause = self.deliveries.pause()
                    with suppress(TimeoutError):
                        patience = IDLE if pause is None else min(IDLE, pause + 0.01)
                        await asyncio.wait_for(self.woken.wait(), patience)

    def _heard(self, event: object) -> bool:
        """Look at an event without taking it."""
        if getattr(event, "type", None) in _ENDS and event.data["job"]["webhook"]:  # type: ignore[attr-defined]
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
            {"event": f"job.{job.state}", "delivery": delivery.id, "job": self.show(job)}
        ).encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Darkroom",
            "Darkroom-Event": f"job.{job.state}",
            "Darkroom-Delivery": str(delivery.id),
            HEADER: signature(self.secret, body, int(time.time())),
        }
        try:
            check_webhook(delivery.url, self.hosts)
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
            return str(cause) or type(cause).__name__, isinstance(cause, Forbidden)


class Outward(AbstractResolver):
    """Finds the addresses of hosts, except those within private networks.

    It is asked at each connection, so that a name cannot lead elsewhere after it was checked.
    """

    def __init__(self, hosts: Sequence[str], inner: AbstractResolver | None = None) -> None:
        self.hosts = frozenset(host.lower() for host in hosts)
        self.inner = inner or ThreadedResolver()

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses that may be reached.

        Raises:
            Forbidden: There are none but in private networks.
        """
        found = await self.inner.resolve(host, port, family)
        if host.lower() in self.hosts:
            return found
        allowed = [each for each in found if is_public(each["host"])]
        if not allowed:
            raise Forbidden(f"{host} is in a private network: allow it by `webhook_hosts`")
        return allowed

    @override
    async def close(self) -> None:
        """Close the resolver behind."""
        await self.inner.close()


def check_webhook(url: str, hosts: Sequence[str]) -> None:
    """See that an address may be a webhook, as far as it tells by itself.

    Raises:
        InputError: It is no plain http address, or names a private address.
    """
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        plain = parts.scheme in {"http", "https"} and host and parts.username is None
        _ = parts.port
    except ValueError:
        plain, host = False, ""
    if not plain or len(url) > 2_000:
        raise _unusable(f"{url[:100]!r} cannot be a webhook: give an http or https address")
    literal = read_address(host)
    inside = host == "localhost" or host.endswith(".localhost")
    if host not in {each.lower() for each in hosts} and (
        inside or (literal is not None and not is_public(host))
    ):
        raise _unusable(f"{host} is in a private network: allow it by `webhook_hosts`")


def is_public(text: str) -> bool:
    """Whether an address is one of the open internet, also behind those that carry another."""
    address = read_address(text)
    if address is None:
        return False
    return all(each.is_global and not each.is_multicast for each in _carried(address))


def _carried(address: Address) -> list[Address]:
    if not isinstance(address, IPv6Address):
        return [address]
    carried: list[Address] = [address]
    if address.sixtofour is not None:
        carried.append(address.sixtofour)
    if address.teredo is not None:
        carried.extend(address.teredo)
    if address in _TRANSLATED:
        inner = read_address(socket.inet_ntoa(address.packed[-4:]))
        carried.append(inner or address)
    return carried


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


def _unusable(message: str) -> InputError:
    return InputError(message, code="bad_webhook", input="webhook")
