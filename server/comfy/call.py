"""One request of ComfyUI's API: who asks, whom, and how its body is read."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from aiohttp import web

from server.access import PRINCIPAL, Refused, Scope
from server.access.bodies import LARGE, limits_of, parse_json, read_body
from server.homes import Home, home
from server.service import SERVICE, Service

from .graph import Json
from .inventory import Inventory
from .teller import Teller


@dataclass(frozen=True)
class Border:
    """What the requests of ComfyUI's clients share."""

    inventory: Inventory
    teller: Teller
    settings: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while somebody's settings are written."""


@dataclass(frozen=True)
class Call:
    """A request, with what its handler works with."""

    request: web.Request
    border: Border

    @property
    def service(self) -> Service:
        """The server's parts."""
        return self.request.config_dict[SERVICE]

    @property
    def user(self) -> str:
        """Who asks."""
        return self.request[PRINCIPAL].user

    @cached_property
    def home(self) -> Home:
        """The folders of the one who asks."""
        return home(self.service.settings.data, self.user)

    @property
    def query(self) -> Mapping[str, str]:
        """What stands behind the question mark."""
        return self.request.query

    def named(self, name: str) -> str:
        """A part of the path."""
        return self.request.match_info[name]

    def count(self, name: str, default: int | None = None) -> int | None:
        """A whole number behind the question mark; the default if it is none."""
        try:
            return int(self.query[name])
        except (KeyError, ValueError):
            return default

    async def json(self) -> Any:
        """The body as JSON, whatever it is said to be; nothing if there is none.

        Raises:
            Refused: It is too large, too slow, or no JSON.
        """
        limits = limits_of(self.request)
        data = await read_body(self.request, limits.json_bytes)
        if not data.strip():
            return None
        if len(data) > LARGE:
            return await asyncio.to_thread(_parsed, data, limits.depth)
        return _parsed(data, limits.depth)

    async def told(self) -> Json:
        """The body as an object; an empty one if it is anything else."""
        body = await self.json()
        return body if isinstance(body, dict) else {}


Handler = Callable[[Call], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Route:
    """An address of ComfyUI's API, which answers under `/api` as well."""

    method: str
    path: str
    handler: Handler
    scope: Scope = "read"


def answer(value: Any, status: int = 200) -> web.Response:
    """A value as JSON."""
    return web.json_response(value, status=status)


def done(status: int = 200) -> web.Response:
    """An answer that says no more than its status."""
    return web.Response(status=status)


def refused(status: int, message: str) -> web.Response:
    """A request that is not answered, as ComfyUI's clients read it."""
    return answer({"error": message}, status)


def _parsed(data: bytes, depth: int) -> Any:
    try:
        return parse_json(data, depth)
    except Refused as error:
        if error.code != "bad_json":
            raise
        try:
            # Programs written in Python send NaN, and ComfyUI reads it.
            plain = json.loads(data.decode("utf-8-sig"), parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            raise error from None
        return parse_json(json.dumps(plain).encode(), depth)
