"""A file that a user sends: it is written beside its place, and then kept under a name."""

import asyncio
import hashlib
import os
import re
import secrets
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self

from aiohttp import web

from server.access.bodies import limits_of, read_chunks
from server.access.forms import read_form

from .problems import ApiError

THUMBNAILS = {b"\xff\xd8\xff": "image/jpeg", b"\x89PN": "image/png", b"RIF": "image/webp"}
"""Media types of the pictures that workers make, by their first bytes."""
_NAME = re.compile(r"(?!\.)[^\x00-\x1f\x7f<>:\"/\\|?*]{1,200}(?<![ .])")
_TEMPORARY = ".uploading-"
_DAY = 86_400.0


class Incoming:
    """A file that comes in. After the `with` nothing is left of it, unless it was kept."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / f"{_TEMPORARY}{secrets.token_hex(8)}"
        """Where its bytes lie until it is kept."""
        self.name: str | None = None
        """What a form calls it; none if it has no file."""
        self.fields: dict[str, str] = {}
        """The other parts of the form."""
        self.digest = ""
        self.size = 0

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._begin)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.path.unlink(missing_ok=True)

    async def read_body(self, request: web.Request) -> None:
        """Take the body as the file.

        Raises:
            Refused: It is too large or too slow.
        """
        await self._write(read_chunks(request, limits_of(request).upload_bytes))

    async def read_form(self, request: web.Request, field: str | None = None) -> None:
        """Take a form's first file, of this field if one is named; its other parts are texts.

        Raises:
            Refused: It cannot be read, is too large or too slow.
        """
        async for part in read_form(request):
            here = part.filename is not None and field in {None, part.name}
            if here and self.name is None:
                self.name = part.filename
                await self._write(part.chunks(limits_of(request).upload_bytes))
            else:
                self.fields[part.name] = await part.text()

    def replace(self, data: bytes) -> None:
        """Go on with other bytes."""
        self.path.write_bytes(data)
        self.digest, self.size = hashlib.sha256(data).hexdigest(), len(data)

    def named(self, error: ApiError, name: str = "") -> ApiError:
        """The error, with the file called as its sender calls it."""
        called = (name or self.name or "the file").replace("\\", "/").rpartition("/")[2][:200]

        def put(text: str) -> str:
            return text.replace(self.path.name, called)

        faults = [
            each.model_copy(update={"message": put(each.message)})
            for each in error.document.problems
        ]
        return ApiError(error.document.code, put(str(error)), faults=faults)

    def keep(self, place: Path, numbered: str, *, overwrite: bool) -> Path:
        """Give the file its name, or the next free one; never takes another's place unasked.

        Args:
            place: Where it is to lie.
            numbered: Makes a name of a `stem` and a `number` where the place is taken.
            overwrite: Whether it may take the place of another file.

        Raises:
            FileExistsError: All names are taken.
            IsADirectoryError: The place of the file to be overwritten is a folder's.
        """
        if overwrite:
            self.path.replace(place)
            return place
        for number in range(10_000):
            stem = numbered.format(stem=place.stem, number=number) if number else place.stem
            free = place.with_stem(stem)
            try:
                os.link(self.path, free)
            except FileExistsError:
                if free.is_file() and digest_of(free) == self.digest:
                    return free
            else:
                return free
        raise FileExistsError(place)

    def _begin(self) -> None:
        """Make the folder, and remove what earlier servers left there when they were killed."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        for left in self.path.parent.glob(f"{_TEMPORARY}*"):
            try:
                if left.stat().st_mtime < time.time() - _DAY:
                    left.unlink()
            except OSError:  # another upload has removed it
                continue

    async def _write(self, chunks: AsyncIterator[bytes]) -> None:
        digest = hashlib.sha256()
        with await asyncio.to_thread(self.path.open, "xb") as file:
            async for chunk in chunks:
                digest.update(chunk)
                self.size += len(chunk)
                await asyncio.to_thread(file.write, chunk)
        self.digest = digest.hexdigest()


def plain_name(given: str) -> str | None:
    """The name of a file as one that it may have on every system; none if it cannot be.

    It is empty if none is given.
    """
    name = given.replace("\\", "/").rpartition("/")[2].strip(" .")
    good = not name or (_NAME.fullmatch(name) and len(name.encode()) <= 240)
    return name if good else None


def digest_of(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
