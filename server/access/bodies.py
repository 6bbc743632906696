"""Bodies of requests, read within bounds of size, time and depth."""

import asyncio
import json
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from aiohttp import web

from .refused import Refused

LARGE = 2**18
"""Bytes of JSON beyond which parsing would hold up other requests."""


@dataclass(frozen=True)
class BodyLimits:
    """What a body may be. The application holds those of the settings under `BODY_LIMITS`."""

    json_bytes: int = 10 * 2**20
    upload_bytes: int = 2 * 2**30
    depth: int = 100
    grace: float = 30.0
    """Seconds that a body may take however slow it is, and may pause."""
    pace: float = 1024.0
    """Bytes a second that it must come to after the grace."""


BODY_LIMITS: web.AppKey[BodyLimits] = web.AppKey("body_limits", BodyLimits)


async def read_body(request: web.Request, most: int | None = None) -> bytes:
    """The bytes of a request's body.

    Raises:
        Refused: It is too large or too slow.
    """
    return b"".join([chunk async for chunk in read_chunks(request, most)])


async def read_chunks(
    request: web.Request,
    most: int | None = None,
    source: Callable[[], Awaitable[bytes]] | None = None,
) -> AsyncIterator[bytes]:
    """A body as it arrives, or one part of a form by `source=part.read_chunk`.

    Raises:
        Refused: It is too large (which its announced length tells at once) or too slow.
    """
    limits = limits_of(request)
    most = limits.json_bytes if most is None else most
    if source is None and (request.content_length or 0) > most:
        refuse_size(most)
    read = source or request.content.readany
    loop = asyncio.get_running_loop()
    began, size = loop.time(), 0
    while chunk := await in_time(read(), limits.grace):
        size += len(chunk)
        if size > most:
            refuse_size(most)
        yield chunk
        late = loop.time() - began - limits.grace
        if late > 0 and size < late * limits.pace:
            refuse_pace()


async def in_time(reading: Awaitable[Any], seconds: float) -> Any:
    """What is being read from a client, which must not take longer.

    Raises:
        Refused: It does, or the client broke its own framing.
    """
    try:
        async with asyncio.timeout(seconds):
            return await reading
    except TimeoutError:
        refuse_pace()
    except web.RequestPayloadError as error:
        message = f"the body cannot be read: {error}"
        raise Refused(400, "bad_request", message, headers=_CLOSE) from error


def parse_json(data: bytes, depth: int = BodyLimits.depth) -> Any:
    """The value that a JSON text stands for.

    Raises:
        Refused: It is not JSON, names something twice in one object, holds a number that is not
            finite or a text that is no Unicode, or is nested deeper than `depth`.
    """
    try:
        text = data.decode("utf-8-sig")
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_finite
        )
        if "\\ud" in text or "\\uD" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        refuse_depth(depth)
    except UnicodeError as error:
        raise Refused(400, "bad_json", "the body is not UTF-8", "send JSON in UTF-8") from error
    except ValueError as error:
        raise Refused(400, "bad_json", f"the body is no JSON: {error}", "mend the body") from error
    if text.count("[") + text.count("{") > depth and is_deeper(value, depth):
        refuse_depth(depth)
    return value


def limits_of(request: web.Request) -> BodyLimits:
    """The limits of the application that answers."""
    return request.config_dict.get(BODY_LIMITS) or BodyLimits()


_CLOSE = {"Connection": "close"}


def refuse_size(most: int) -> NoReturn:
    """Refuse a body that is too large."""
    raise Refused(
        413,
        "too_large",
        f"the body is larger than {most:,} bytes",
        "send less, or raise the limit in the server's settings",
        _CLOSE,
    )


def refuse_depth(depth: int) -> NoReturn:
    """Refuse a body that is nested too deep."""
    raise Refused(
        400,
        "too_deep",
        f"the body is nested deeper than {depth} levels",
        "flatten it, or raise max_depth in the server's settings",
    )


def refuse_pace() -> NoReturn:
    """Refuse a body that comes too slowly."""
    raise Refused(408, "timeout", "the body comes too slowly", "send it faster", _CLOSE)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise ValueError(f"the name {name[:80]!r} stands twice in one object")
            seen.add(name)
    return made


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is too large a number")
    return number


def is_deeper(value: Any, depth: int) -> bool:
    """Whether a JSON value is nested deeper than so many levels."""
    level = [value]
    for _ in range(depth):
        level = [
            child
            for each in level
            for child in (
                each.values() if isinstance(each, dict) else each if isinstance(each, list) else ()
            )
            if isinstance(child, (dict, list))
        ]
        if not level:
            return False
    return True
