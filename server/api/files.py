"""Files as answers: in ranges, under their digest, and so that browsers run nothing of them."""

import asyncio
import os
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from aiohttp import web

from server.access.headers import USER_CONTENT_POLICY

from .problems import ApiError

CHUNK = 2**18
SHOWN = frozenset(
    {
        "image/png", "image/jpeg", "image/webp", "image/gif", "image/avif", "video/mp4",
        "video/webm", "audio/mpeg", "audio/wav", "audio/ogg", "text/plain", "application/json",
        "text/csv",
    }
)  # fmt: skip
"""What browsers may show as it is. All else, HTML and SVG above all, is only to be saved."""


async def send_file(
    request: web.Request, path: Path, media_type: str, digest: str, name: str | None = None
) -> web.StreamResponse:
    """A file, or the part that is asked for, or that the client has it already.

    Args:
        request: With the headers that say what is wanted.
        path: The file.
        media_type: What it is said to be; what browsers must not show is sent as bytes.
        digest: Of its bytes: its ETag.
        name: What to save it as; its own name if left out.

    Raises:
        ApiError: It is not there any more, or has no such part.
    """
    try:
        file = await asyncio.to_thread(path.open, "rb")
    except OSError:
        raise ApiError("gone", f"{path.name} is not kept any more") from None
    with file:
        status = await asyncio.to_thread(_status, file)
        headers = safe_headers(media_type, name or path.name) | {
            "ETag": f'"{digest}"',
            "Last-Modified": formatdate(status[1], usegmt=True),
            "Accept-Ranges": "bytes",
        }
        if is_known(request, digest, status[1]):
            return web.Response(status=304, headers=headers)
        return await _send(request, file, status[0], headers)


def safe_headers(media_type: str, name: str) -> dict[str, str]:
    """Headers by which a browser neither runs a file nor guesses at it."""
    shown = media_type in SHOWN
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in name)
    kind = "inline" if shown else "attachment"
    text = media_type in {"text/plain", "text/csv"}
    return {
        "Content-Type": (f"{media_type}; charset=utf-8" if text else media_type)
        if shown
        else "application/octet-stream",
        "Content-Disposition": f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": USER_CONTENT_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-cache",
    }


def is_known(request: web.Request, digest: str, modified: float) -> bool:
    """Whether the client has these bytes, by If-None-Match or else If-Modified-Since."""
    tags = request.if_none_match
    if tags is not None:
        return any(tag.value in {"*", digest} for tag in tags)
    since = request.if_modified_since
    return since is not None and int(modified) <= since.timestamp()


async def _send(
    request: web.Request, file: BinaryIO, size: int, headers: dict[str, str]
) -> web.StreamResponse:
    first, end = _part(request, size, headers)
    partial = (first, end) != (0, size)
    if partial:
        headers["Content-Range"] = f"bytes {first}-{end - 1}/{size}"
    response = web.StreamResponse(status=206 if partial else 200, headers=headers)
    response.content_length = end - first
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    file.seek(first)
    left = end - first
    while left and (chunk := await asyncio.to_thread(file.read, min(CHUNK, left))):
        await response.write(chunk)
        left -= len(chunk)
    await response.write_eof()
    return response


def _part(request: web.Request, size: int, headers: dict[str, str]) -> tuple[int, int]:
    """The first byte and the end of what is asked for: all, unless one range is."""
    asked = request.headers.get("Range", "")
    if not asked.startswith("bytes=") or "," in asked or not _same(request, headers):
        return 0, size
    try:
        wanted = request.http_range
    except ValueError:
        return 0, size
    first, end, _ = slice(wanted.start, wanted.stop).indices(size)
    if first >= end:
        raise ApiError(
            "range", f"the file has {size} bytes", headers={"Content-Range": f"bytes */{size}"}
        )
    return first, end


def _same(request: web.Request, headers: dict[str, str]) -> bool:
    """Whether the part belongs to what the client has, by If-Range."""
    given = request.headers.get("If-Range")
    if given is None or given == headers["ETag"]:
        return True
    if given.startswith(('"', "W/")):
        return False
    try:
        return parsedate_to_datetime(given) == parsedate_to_datetime(headers["Last-Modified"])
    except (TypeError, ValueError):
        return False


def _status(file: BinaryIO) -> tuple[int, float]:
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime
