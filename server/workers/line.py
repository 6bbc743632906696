"""Lines between the server and its workers, and the frames in which messages cross them.

A frame is two big-endian numbers of four bytes, the sizes of what follows: a message as JSON, and
bytes beside it.
"""

import json
import struct
from dataclasses import fields
from functools import cache
from typing import Any, Literal, Protocol

from pydantic import TypeAdapter, ValidationError

from .messages import (
    Answer,
    Ask,
    Beat,
    Cancel,
    Delivered,
    Done,
    FromWorker,
    Happened,
    Lent,
    Ready,
    Run,
    Stop,
    ToWorker,
    Watch,
)

Message = ToWorker | FromWorker
SIZES = struct.Struct(">II")
MOST_JSON = 256 * 2**20
MOST_BLOB = 2**31
_KINDS: dict[str, type[Message]] = {
    kind.__name__: kind
    for kind in (
        Run, Lent, Cancel, Watch, Ask, Stop,
        Ready, Beat, Happened, Delivered, Done, Answer,
    )
}  # fmt: skip

Code = Literal["died", "hung", "memory", "stopped"]


class LineClosed(Exception):  # noqa: N818 - a fault of the worker's, not of the one who is told
    """The worker at the other end is gone; `reason` says how."""

    def __init__(self, reason: str, code: Code = "died") -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


class FrameError(ValueError):
    """Bytes that are no frame: one end does not keep to the protocol."""


class Line(Protocol):
    """A worker as the server reaches it."""

    async def send(self, message: ToWorker) -> None:
        """Say something to the worker. That it is gone is told by `receive`, not here."""
        ...

    async def receive(self) -> FromWorker:
        """What the worker says next.

        Raises:
            LineClosed: It is gone.
        """
        ...

    async def kill(self) -> None:
        """End the worker at once, whatever it does; returns when it is gone."""
        ...


def encode(message: Message) -> list[bytes]:
    """The frame of a message, in parts that are to be written one after the other.

    Raises:
        FrameError: It is larger than a frame can be.
        ValueError: It holds what JSON cannot carry.
    """
    told: dict[str, Any] = {"is": type(message).__name__}
    blob = b""
    for field in fields(message):
        value = getattr(message, field.name)
        if field.name == "blob":
            blob = value
        else:
            told[field.name] = value
    try:
        text = json.dumps(told, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    sizes(SIZES.pack(min(len(text), 2**32 - 1), min(len(blob), 2**32 - 1)))
    return (
        [SIZES.pack(len(text), len(blob)) + text, blob]
        if blob
        else [SIZES.pack(len(text), 0) + text]
    )


def sizes(head: bytes) -> tuple[int, int]:
    """The sizes that a frame's head tells.

    Raises:
        FrameError: They are larger than a frame may be.
    """
    try:
        text, blob = SIZES.unpack(head)
    except struct.error as error:
        raise FrameError("the frame was cut off") from error
    if text > MOST_JSON or blob > MOST_BLOB:
        raise FrameError(
            f"a frame of {text} bytes of JSON and {blob} beside it is larger than the"
            f" {MOST_JSON} and {MOST_BLOB} that may be sent"
        )
    return text, blob


def decode(text: bytes, blob: bytes = b"") -> Message:
    """The message in a frame.

    Raises:
        FrameError: It is none.
    """
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FrameError(f"the frame holds no JSON: {error}") from error
    kind = told.pop("is", None) if isinstance(told, dict) else None
    if not isinstance(kind, str) or kind not in _KINDS:
        raise FrameError("the frame holds no message that is known here")
    if any(field.name == "blob" for field in fields(_KINDS[kind])):
        told["blob"] = blob
    try:
        return _adapter(kind).validate_python(told)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise FrameError(f"{kind}.{place}: {first['msg']}") from error


@cache
def _adapter(name: str) -> TypeAdapter[Message]:
    return TypeAdapter(_KINDS[name])
