"""The checks in front of every request, as middlewares."""

import re
import secrets
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Protocol

from aiohttp import web

from .addresses import Addresses, same_host
from .bodies import BODY_LIMITS, BodyLimits, refuse_size
from .buckets import Buckets
from .headers import dress
from .principal import PRINCIPAL, Principal, require, scope_of, unauthorized
from .refused import Refused

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_START, _COUNT = secrets.token_hex(4), count(1)
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
REQUEST_ID = web.RequestKey("request_id", str)
"""Under which a request holds its id, as logs and answers tell it."""


class Entry(Protocol):
    """What knows the users."""

    async def identify(self, request: web.Request) -> Principal | None:
        """Who asks; none if nobody says so. Refuses credentials that are wrong."""

    def address(self, request: web.Request) -> str:
        """Where the request comes from."""


class Guard:
    """Refuses what must not reach a handler: wrong hosts, other sites, strangers, floods.

    `guard.install(app)` comes after the middleware that answers refusals, which is outermost.
    """

    def __init__(
        self,
        entry: Entry,
        addresses: Addresses,
        *,
        limits: BodyLimits | None = None,
        rate: float = 1000.0,
        burst: float = 2000.0,
    ) -> None:
        self.entry = entry
        self.addresses = addresses
        self.limits = limits or BodyLimits()
        self.buckets = Buckets(rate, burst) if rate else None

    def install(self, app: web.Application) -> None:
        """Put the checks into an application, inside the middlewares that it has."""
        app[BODY_LIMITS] = self.limits
        app.middlewares.extend(
            (self.number, self.host, self.site, self.identify, self.rate, self.body)
        )
        app.on_response_prepare.append(self.dress)

    async def dress(self, request: web.Request, response: web.StreamResponse) -> None:
        """Put the protecting headers on every answer, also on one that tells of an error."""
        dress(response, secure=self.addresses.secure(request), request_id=_number(request))

    @web.middleware
    async def number(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Give the request an id, or keep the one that a proxy gave."""
        _number(request)
        return await handler(request)

    @web.middleware
    async def host(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse a host that this server is not, so that no name can be rebound to it."""
        host = request.headers.get("Host", "")
        if not self.addresses.answers_to(host):
            raise Refused(
                403,
                "forbidden",
                f"this server is not {host[:100]!r}",
                "use its own address, or add the name to allowed_hosts in its settings",
            )
        return await handler(request)

    @web.middleware
    async def site(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse what a page of another site sends. A program sends neither header, and passes."""
        if not _from_here(request):
            raise Refused(
                403,
                "forbidden",
                "the request comes from a page of another site",
                "send it from a page of this server, or from a program",
            )
        return await handler(request)

    @web.middleware
    async def identify(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Find out who asks, and whether they may."""
        scope = scope_of(request.match_info.handler, request.method)
        try:
            principal = await self.entry.identify(request)
        except Refused:
            if scope is not None:
                raise
            principal = None
        if principal is not None:
            request[PRINCIPAL] = principal
        if scope is not None:
            if principal is None:
                raise _to_login(request) or unauthorized("this needs a token or a login")
            require(request, scope)
        return await handler(request)

    @web.middleware
    async def rate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse a flood: each user has a bucket, and so has each address without a user."""
        if self.buckets is not None:
            principal: Principal | None = request.get(PRINCIPAL)
            key = f"user {principal.user}" if principal else self.entry.address(request)
            wait = self.buckets.take(key)
            if wait:
                raise too_many("there are too many requests", wait)
        return await handler(request)

    @web.middleware
    async def body(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse a body at once whose announced length no route takes."""
        if (request.content_length or 0) > self.limits.upload_bytes:
            refuse_size(self.limits.upload_bytes)
        return await handler(request)


def too_many(message: str, wait: float) -> Refused:
    """The refusal of what may be done again after so many seconds."""
    seconds = max(1, int(wait + 0.999))
    return Refused(
        429,
        "too_many_requests",
        message,
        f"try again in {seconds} s",
        {"Retry-After": str(seconds)},
    )


def _number(request: web.Request) -> str:
    number: str | None = request.get(REQUEST_ID)
    if number is None:
        given = request.headers.get("X-Request-Id", "")
        number = given if _GIVEN_ID.fullmatch(given) else f"{_START}-{next(_COUNT):x}"
        request[REQUEST_ID] = number
    return number


def _from_here(request: web.Request) -> bool:
    headers = request.headers
    fetched = headers.get("Sec-Fetch-Site")
    upgrade = "Upgrade" in headers
    if request.method in _SAFE and not upgrade:
        followed = headers.get("Sec-Fetch-Mode") == "navigate"
        return fetched in {None, "same-origin", "none"} or (
            followed and headers.get("Sec-Fetch-Dest") == "document"
        )
    if fetched is not None and fetched not in {"same-origin", "none"}:
        return False
    origins = headers.getall("Origin", ())
    if not origins or (fetched == "same-origin" and not upgrade):
        return True
    return len(origins) == 1 and same_host(origins[0], headers.get("Host", ""))


def _to_login(request: web.Request) -> web.HTTPException | None:
    """Where a person is sent who opens a page; a program is told 401."""
    if request.method != "GET" or "text/html" not in request.headers.get("Accept", ""):
        return None
    from yarl import URL

    there = request.rel_url.raw_path_qs  # as it came: what follows a login is plain ASCII
    return web.HTTPSeeOther(URL("/login").with_query({"next": there} if there != "/" else {}))
