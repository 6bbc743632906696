"""The connection to one server: requests that are repeated where that is safe, and streams."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from server import __version__

from .errors import ApiError, ConnectionFailed
from .models import Problem

Json = dict[str, Any]
DEFAULT_URL = "http://127.0.0.1:8188"
ROOT = "/api/v1"
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
REPEATABLE = frozenset({"GET", "HEAD", "PUT"})
BUSY = frozenset({429, 502, 503, 504})
SILENCE = 90.0
"""Seconds without a byte after which a connection counts as lost; a waiting server sends beats."""
_LOST = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError)


@dataclass(frozen=True)
class Request:
    """What is asked."""

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    """JSON."""
    data: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = False
    """Whether it may be sent again if it is not known what became of it."""

    @property
    def again(self) -> bool:
        """Whether it is sent again after it was lost."""
        return self.repeatable or self.method in REPEATABLE


class Connection:
    """Sends requests to one server.

    A server that was reached before is waited for `patience` seconds when it is lost, so that it
    can be started again; one that was never reached is not. Meanwhile requests are repeated that
    cannot do harm twice, or that surely did not arrive.
    """

    def __init__(self, url: str, token: str | None, patience: float) -> None:
        self.url = _address(url)
        self.token = token
        self.patience = patience
        self.reached = False
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, request: Request) -> Any:
        """The JSON of the answer; none if it is empty.

        Raises:
            ApiError: The server refused.
            ConnectionFailed: It does not answer.
        """
        wait = Patience(self)
        while True:
            async with await self._opened(request) as response:
                try:
                    return await _json(response)
                except _LOST as error:
                    if not request.again:
                        raise ConnectionFailed(self.url, _reason(error)) from error
                    await wait.out(_reason(error), error)

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer as it comes, once the server has said that it is one.

        Raises:
            ApiError: The server refused.
            ConnectionFailed: It does not answer.
        """
        async with await self._opened(request) as response:
            try:
                yield response
            except _LOST as error:
                raise ConnectionFailed(self.url, _reason(error)) from error

    async def socket(self, path: str, query: Mapping[str, Any]) -> aiohttp.ClientWebSocketResponse:
        """A websocket.

        Raises:
            ApiError: The server refused.
            ConnectionFailed: It does not answer.
        """
        wait = Patience(self)
        while True:
            try:
                return await self.session.ws_connect(
                    self.url + path, params=_query(query), heartbeat=30, max_msg_size=2**26
                )
            except aiohttp.WSServerHandshakeError as error:
                if error.status not in BUSY:
                    message = f"the server refused the websocket: {error.message}"
                    raise ApiError(error.status, "refused", message) from error
                await wait.out(f"status {error.status}", None)
            except _LOST as error:
                await wait.out(_reason(error), error)

    @property
    def session(self) -> aiohttp.ClientSession:
        """The connections that are kept open."""
        if self._session is None:
            headers = {"User-Agent": f"darkroom-client/{__version__}"}
            if self.token:
                headers["Authorization"] = f"Bearer {self.token}"
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=SILENCE)
            self._session = aiohttp.ClientSession(headers=headers, timeout=timeout)
        return self._session

    async def close(self) -> None:
        """Close what is open."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _opened(self, request: Request) -> aiohttp.ClientResponse:
        wait = Patience(self)
        while (response := await self._attempt(request, wait)) is None:
            pass
        return response

    async def _attempt(self, request: Request, wait: "Patience") -> aiohttp.ClientResponse | None:
        """The answer; none if the request is to be sent again."""
        try:
            response = await self.session.request(
                request.method,
                self.url + request.path,
                params=_query(request.query),
                json=request.body,
                data=request.data,
                headers=request.headers,
                allow_redirects=False,
            )
        except aiohttp.InvalidURL as error:
            message = f"{self.url} is no address: give one such as {DEFAULT_URL}"
            raise ApiError(0, "bad_url", message) from error
        except aiohttp.ClientConnectorError as error:  # nothing was sent
            await wait.out(_reason(error), error)
            return None
        except _LOST as error:
            self.reached = True
            if not request.again:
                raise ConnectionFailed(self.url, _reason(error)) from error
            await wait.out(_reason(error), error)
            return None
        self.reached = True
        if response.status < 300:
            return response
        async with response:
            refused = await _refused(response)
        if response.status not in BUSY or not (request.again or response.status in {429, 503}):
            raise refused
        await wait.out_after(response.headers.get("Retry-After"), refused)
        return None


class Patience:
    """How long the end of a trouble is waited for; the pauses grow."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.until = time.monotonic() + connection.patience
        self.pause = FIRST_PAUSE

    async def out(self, reason: str, error: Exception | None) -> None:
        """Wait a moment.

        Raises:
            ConnectionFailed: It was waited long enough.
        """
        if not self.connection.reached or time.monotonic() + self.pause > self.until:
            raise ConnectionFailed(self.connection.url, reason) from error
        await self._sleep(self.pause)

    async def out_after(self, named: str | None, refused: ApiError) -> None:
        """Wait as long as the server says, or a moment.

        Raises:
            ApiError: That would be too long.
        """
        seconds = float(named) if named is not None and named.isdecimal() else self.pause
        if time.monotonic() + seconds > self.until:
            raise refused
        await self._sleep(seconds)

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.pause = min(self.pause * 2, LONGEST_PAUSE)


async def _json(response: aiohttp.ClientResponse) -> Any:
    text = await response.read()
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        raise _stranger(response) from None


async def _refused(response: aiohttp.ClientResponse) -> ApiError:
    """The problem document of an answer as an error."""
    if response.status < 400:
        target = response.headers.get("Location", "another address")
        message = f"the server sends its clients to {target}: give that as the URL"
        return ApiError(response.status, "redirected", message)
    try:
        told = json.loads(await response.read())
        problems = tuple(Problem.model_validate(each) for each in told.get("problems") or ())
        message = str(told.get("detail") or told["title"])
        code = str(told["code"])
    except (ValueError, KeyError, AttributeError, TypeError, *_LOST):
        return _stranger(response)
    return ApiError(response.status, code, message, hint=told.get("hint"), problems=problems)


def _stranger(response: aiohttp.ClientResponse) -> ApiError:
    message = (
        f"what answers at {response.url.origin()} is not Darkroom's API (status {response.status})"
    )
    return ApiError(response.status, "not_darkroom", message, hint="check the URL and the port")


def _address(url: str) -> str:
    """The URL with its scheme, and without what does not belong."""
    whole = url if "://" in url else f"http://{url}"
    try:
        parts = urlsplit(whole)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        valid = False
    if not valid:
        raise ApiError(0, "bad_url", f"{url!r} is no address: give one such as {DEFAULT_URL}")
    return whole.split("?")[0].split("#")[0].rstrip("/").removesuffix(ROOT)


def _query(query: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Pairs for the URL: a list repeats its name, what is absent is left out."""
    return [
        (name, "true" if each is True else str(each))
        for name, value in query.items()
        for each in (value if isinstance(value, (list, tuple)) else [value])
        if each is not None and each is not False
    ]


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    inner = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    return getattr(inner, "strerror", None) or str(inner) or type(inner).__name__
