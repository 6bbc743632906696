"""Forms of several parts, read within the bounds that hold for every body."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from .bodies import in_time, limits_of, read_chunks, refuse_size
from .refused import Refused

MOST_PARTS = 20
MOST_TEXT = 10_000
"""Bytes of a part that is no file."""


@dataclass(frozen=True)
class Part:
    """One part of a form."""

    name: str
    filename: str | None
    """What the client calls the file; none if the part is a text."""
    request: web.Request
    reader: BodyPartReader

    async def chunks(self, most: int) -> AsyncIterator[bytes]:
        """Its bytes as they arrive.

        Raises:
            Refused: There are too many, here or in the form, or they come too slowly.
        """
        async for chunk in read_chunks(self.request, most, self.reader.read_chunk):
            _check_size(self.request)
            yield chunk

    async def text(self) -> str:
        """Its bytes as a text.

        Raises:
            Refused: They are too many, or come too slowly.
        """
        return b"".join([c async for c in self.chunks(MOST_TEXT)]).decode(errors="replace")


async def read_form(request: web.Request) -> AsyncIterator[Part]:
    """The parts of a form. Each has to be read before the next is asked for.

    The whole form may be as large as an upload.

    Raises:
        Refused: It is no form, has too many parts, or is too large or too slow.
    """
    most = limits_of(request).upload_bytes
    if (request.content_length or 0) > most:
        refuse_size(most)
    if not request.content_type.startswith("multipart/"):
        raise _unreadable("it is not multipart/form-data")
    try:
        form, count = await request.multipart(), 0
        while (reader := await in_time(form.next(), limits_of(request).grace)) is not None:
            _check_size(request)
            count += 1
            if count > MOST_PARTS:
                raise _unreadable(f"it has more than {MOST_PARTS} parts")
            if not isinstance(reader, BodyPartReader):
                raise _unreadable("a part of it is a form itself")
            yield Part(reader.name or "", reader.filename, request, reader)
    except (ValueError, AssertionError, RuntimeError, HttpProcessingError) as error:
        raise _unreadable(str(error)) from None


def _check_size(request: web.Request) -> None:
    """Count what has come of the whole body, boundaries and headers included."""
    most = limits_of(request).upload_bytes
    if request.content.total_bytes > most:
        refuse_size(most)


def _unreadable(why: str) -> Refused:
    return Refused(
        400,
        "bad_request",
        f"the form cannot be read: {why}",
        "send multipart/form-data with the file and few other parts",
        {"Connection": "close"},
    )
