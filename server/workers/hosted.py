"""A worker inside an actor of a cluster, with its messages as frames; it does not know Ray."""

import platform
from dataclasses import replace
from queue import Empty, SimpleQueue

from server.settings import Settings

from .line import SIZES, Message, decode, encode, sizes
from .messages import FromWorker, ToWorker
from .outfit import Outfit
from .worker import Worker

LISTENING_SECONDS = 1.0
MOST_AT_ONCE = 1000


class Hosted:
    """Made where the worker is to compute.

    Args:
        outfit: As JSON. On another machine than the server's, its data folder is that machine's own.
        machine: The server's.
    """

    def __init__(self, outfit: str, machine: str) -> None:
        worn = Outfit.from_json(outfit)
        if platform.node() != machine:
            worn = replace(worn, data=Settings.read().data)
        self.said: SimpleQueue[FromWorker] = SimpleQueue()
        self.worker = Worker(worn, self.said.put)
        self.worker.start()

    def hear(self, frame: bytes) -> None:
        """Take a message in."""
        message = unframed(frame)
        if isinstance(message, ToWorker):
            self.worker.hear(message)

    def listen(self) -> list[bytes] | None:
        """What the worker said since, after waiting for it a moment; None once it has left."""
        try:
            said = [self.said.get(timeout=LISTENING_SECONDS)]
        except Empty:
            return None if self.worker.ended.is_set() else []
        while len(said) < MOST_AT_ONCE and not self.said.empty():
            said.append(self.said.get())
        return [framed(message) for message in said]


def framed(message: Message) -> bytes:
    """A message as one piece."""
    return b"".join(encode(message))


def unframed(frame: bytes) -> Message:
    """The message in one piece.

    Raises:
        FrameError: It is none.
    """
    text, _ = sizes(frame[: SIZES.size])
    body = frame[SIZES.size :]
    return decode(body[:text], body[text:])
