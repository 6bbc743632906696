"""Files that jobs delivered, on their way to this machine."""

import asyncio
import hashlib
import secrets
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import aiohttp

from server.homes import within

from .connection import Connection, Request
from .errors import ApiError, ConnectionFailed
from .models import File

_LOST = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError)


async def read_file(connection: Connection, file: File) -> bytes:
    """The bytes of a file.

    Raises:
        ApiError: It is not kept any more, or arrives damaged.
        ConnectionFailed: The server does not answer.
    """
    content = bytearray()
    await _receive(connection, file, content.extend)
    return bytes(content)


async def save_file(connection: Connection, file: File, folder: Path) -> Path:
    """Put a file into a folder under its own name; never in the place of another one.

    A file that is there with the same bytes stays as it is. One of another content makes the new
    one `name-2`, and so on.

    Raises:
        ApiError: It is not kept any more, or arrives damaged.
        InputError: Its name leads out of the folder.
        ConnectionFailed: The server does not answer.
        OSError: It cannot be written.
    """
    wanted = within(folder, file.path)
    temporary = await asyncio.to_thread(_begin, wanted, file)
    if temporary is None:
        return wanted
    try:
        with await asyncio.to_thread(temporary.open, "wb") as content:
            await _receive(connection, file, content.write)
        return await asyncio.to_thread(_put, temporary, wanted, file)
    finally:
        await asyncio.to_thread(temporary.unlink, missing_ok=True)


async def _receive(connection: Connection, file: File, write: Callable[[bytes], object]) -> None:
    """Write a file's bytes; when the connection is lost, go on with the rest."""
    if not file.url.startswith("/"):
        raise ApiError(0, "bad_url", f"{file.path} has an address elsewhere: {file.url}")
    digest, size = hashlib.sha256(), 0
    while True:
        headers = {"If-Range": f'"{file.digest}"', "Range": f"bytes={size}-"} if size else {}
        request = Request("GET", quote(file.url, safe="/%"), headers=headers)
        before = size
        async with connection.open(request) as response:
            if size and response.status != 206:
                raise ApiError(
                    response.status, "changed", f"{file.path} has changed while it was read"
                )
            try:
                async for chunk in response.content.iter_chunked(2**18):
                    digest.update(chunk)
                    size += len(chunk)
                    await asyncio.to_thread(write, chunk)
            except _LOST as error:
                if size == before:
                    raise ConnectionFailed(connection.url, "it stopped sending") from error
                continue
        break
    if digest.hexdigest() != file.digest:
        raise ApiError(200, "damaged", f"{file.path} did not arrive as the job delivered it")


def _begin(wanted: Path, file: File) -> Path | None:
    """A file to write into, beside the wanted one; none if that is there with the same bytes."""
    if _is_there(wanted, file):
        return None
    wanted.parent.mkdir(parents=True, exist_ok=True)
    return wanted.parent / f".receiving-{secrets.token_hex(8)}"


def _is_there(path: Path, file: File) -> bool:
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest() == file.digest


def _put(temporary: Path, wanted: Path, file: File) -> Path:
    """Give the file its name, or the next free one."""
    number = 1
    place = wanted
    while True:
        try:
            place.touch(exist_ok=False)  # takes the name, so that two that save never share it
        except FileExistsError:
            if _is_there(place, file):
                return place
            number += 1
            place = wanted.with_stem(f"{wanted.stem}-{number}")
        else:
            temporary.replace(place)
            return place
