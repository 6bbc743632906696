"""Who asks: the user behind a token or a login."""

import asyncio
import base64
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web
from sqlalchemy import Connection

from server.database.database import Database
from server.settings import Settings

from .addresses import Addresses, is_loopback
from .buckets import Buckets
from .guard import too_many
from .passwords import Passwords
from .principal import LOCAL_PRINCIPAL, Principal, unauthorized
from .refused import Refused
from .sessions import begin_session, end_session, find_session
from .tokens import DAY, FORM, Token, digest_of, find_token, note_use
from .users import User, count_users, find_user

FRESH = 3.0
"""Seconds that an answer of the database holds: so late a change from outside is noticed."""
MOST = 10_000


@dataclass(frozen=True, slots=True)
class Known:
    """A principal that credentials stand for, and until when that holds without asking again."""

    principal: Principal
    fresh: float
    expires: float


class Access:
    """Tells who asks: always `local` on a server of one's own machine without users and token."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database = database
        self.settings = settings
        self.addresses = Addresses(settings.host, settings.allowed_hosts, settings.trusted_proxies)
        self.passwords = Passwords()
        self.strangers = Buckets(rate=0.5, burst=30)
        """Wrong credentials by address."""
        self.failures = Buckets(rate=1 / 30, burst=10)
        """Wrong passwords by user."""
        secret = settings.admin_token
        self._master = digest_of(secret.get_secret_value()) if secret else None
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._logins: dict[str, tuple[str, float]] = {}
        """The token behind each login with one, and when the login ends."""
        self._is_closed = self._master is not None or not is_loopback(settings.host)
        """Whether one has to say who one is; where that was so once, it stays so."""
        self._open_until = 0.0
        """Until when it holds that there are no users."""
        self._noting: set[asyncio.Task[None]] = set()
        self.clock: Callable[[], float] = time.time

    async def close(self) -> None:
        """Finish what is being written."""
        await asyncio.gather(*self._noting, return_exceptions=True)
        self.passwords.close()

    def forget(self) -> None:
        """Ask the database again: users or tokens have changed."""
        self._known.clear()
        self._open_until = 0.0

    @property
    def cookie(self) -> str:
        """The cookie's name. Cookies know no ports, so that two servers need two names."""
        return f"darkroom_{self.settings.port}"

    def address(self, request: web.Request) -> str:
        """Where the request comes from."""
        return self.addresses.client(request)

    async def is_closed(self) -> bool:
        """Whether one has to say who one is.

        A server that others reach, or that had users since it started, does not open because the
        last user is gone.
        """
        if not self._is_closed and self.clock() >= self._open_until:
            self._is_closed = await self.database.read(count_users) > 0
            self._open_until = self.clock() + FRESH
        return self._is_closed

    async def identify(self, request: web.Request) -> Principal | None:
        """Who asks; none if nobody says so.

        Raises:
            Refused: The credentials are wrong (401), or too many have been (429).
        """
        token = token_of(request)
        if token is not None:
            principal = await self.of_token(token)
            if principal is None:
                wait = self.strangers.take(self.address(request))
                if wait:
                    raise too_many("there were too many wrong tokens or passwords", wait)
                raise unauthorized("the token is not known, or has expired")
            return principal
        cookie = request.cookies.get(self.cookie)
        if cookie:
            principal = await self.of_session(cookie)
            if principal is not None:
                return principal
        return None if await self.is_closed() else LOCAL_PRINCIPAL

    async def of_token(self, text: str) -> Principal | None:
        """Who shows a token; none if it is not known."""
        digest = digest_of(text)
        if self._master is not None and hmac.compare_digest(digest, self._master):
            return LOCAL_PRINCIPAL
        form = FORM.fullmatch(text)
        if form is None:
            return None
        known = self._remembered(digest)
        if known is None:
            found = await self.database.read(lambda connection: _read_token(connection, form[1]))
            if found is None:
                return None
            known = self._from_token(*found, digest)
            if known is None:
                return None
            self._remember(digest, known)
        return known.principal

    async def of_session(self, text: str) -> Principal | None:
        """Who shows a cookie; none if the login is over."""
        digest = digest_of(text)
        token, end = self._logins.get(digest, ("", 0.0))
        if end > self.clock():
            return await self.of_token(token)
        known = self._remembered(digest)
        if known is None:
            found = await self.database.read(lambda connection: _read_login(connection, digest))
            if found is None or found[0].disabled:
                return None
            user, expires = found
            known = Known(Principal(user.name, user.scopes), self.clock() + FRESH, expires)
            self._remember(digest, known)
        return known.principal

    async def log_in(self, request: web.Request, user: str, password: str) -> str:
        """Check a password, or without a user a token; returns what the cookie shall hold.

        Raises:
            Refused: They do not match (401), or too often did not (429). Nothing tells whether
                there is such a user.
        """
        name, address = user.strip().lower()[:64], self.address(request)
        # Counted before the password is looked at, so that many at once are not all let through.
        wait = self.strangers.take(address) or (self.failures.take(name) if name else 0.0)
        if wait:
            raise too_many("there were too many wrong tokens or passwords", wait)
        principal = await (self._of_password(name, password) if name else self.of_token(password))
        if principal is None:
            raise Refused(401, "unauthorized", "user and password do not match")
        self.strangers.give_back(address)
        self.failures.forgive(name)
        old = request.cookies.get(self.cookie)
        if old:
            await self.log_out(old)
        return await self._begin(principal.user, None if name else password)

    async def log_out(self, text: str) -> None:
        """End the login behind a cookie."""
        digest = digest_of(text)
        self._logins.pop(digest, None)
        self._known.pop(digest, None)
        await self.database.write(lambda connection: end_session(connection, digest))

    async def _of_password(self, name: str, password: str) -> Principal | None:
        user = await self.database.read(lambda connection: find_user(connection, name))
        usable = user is not None and not user.disabled
        kept = user.password if user is not None and usable else None
        if not await self.passwords.matches(password, kept) or user is None:
            return None
        return Principal(user.name, user.scopes)

    async def _begin(self, user: str, token: str | None) -> str:
        days = self.settings.session_days
        if token is None:
            return await self.database.write(
                lambda connection: begin_session(connection, user, days)
            )
        # A login with a token may what the token may, and ends with it, or with the server.
        now = self.clock()
        self._logins = {each: kept for each, kept in self._logins.items() if kept[1] > now}
        if len(self._logins) >= MOST:
            self._logins.pop(next(iter(self._logins)))
        text = secrets.token_hex(32)
        self._logins[digest_of(text)] = token, now + days * DAY
        return text

    def _from_token(self, token: Token, user: User, digest: str) -> Known | None:
        now = self.clock()
        same = hmac.compare_digest(token.digest, digest)
        if not same or token.expired(now) or user.disabled:
            return None
        if token.last_used is None or now - token.last_used > 60:
            task = asyncio.create_task(self._note_use(token.id, now))
            self._noting.add(task)
            task.add_done_callback(self._noting.discard)
        scopes = token.scopes & user.scopes
        principal = Principal(user.name, scopes, token.expires)
        return Known(principal, now + FRESH, token.expires or float("inf"))

    async def _note_use(self, token: str, now: float) -> None:
        await self.database.write(lambda connection: note_use(connection, token, now))

    def _remembered(self, digest: str) -> Known | None:
        known = self._known.get(digest)
        if known is None or self.clock() >= min(known.fresh, known.expires):
            return None
        return known

    def _remember(self, digest: str, known: Known) -> None:
        self._known[digest] = known
        self._known.move_to_end(digest)
        if len(self._known) > MOST:
            self._known.popitem(last=False)


def token_of(request: web.Request) -> str | None:
    """The token that a request shows.

    `Authorization: Bearer` is the way. Clients that can only be given a URL may put the token
    where it has a password, `http://any:TOKEN@host`, which they send as `Basic`; and at the
    handshake of a websocket, which sends no headers of the page's choice, `?token=` will do.
    """
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    value = value.strip()
    if kind.lower() == "bearer" and value:
        return value
    if kind.lower() == "basic":
        try:
            decoded = base64.b64decode(value, validate=True).decode()
        except ValueError:
            return ""
        return decoded.partition(":")[2]
    if request.headers.get("Upgrade", "").lower() == "websocket":
        return request.query.get("token")
    return None


def _read_token(connection: Connection, number: str) -> tuple[Token, User] | None:
    token = find_token(connection, number)
    user = token and find_user(connection, token.user)
    return (token, user) if token and user else None


def _read_login(connection: Connection, digest: str) -> tuple[User, float] | None:
    found = find_session(connection, digest)
    user = found and find_user(connection, found[0])
    return (user, found[1]) if found and user else None
