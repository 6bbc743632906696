"""A worker as a process: `python -m server.workers.process` hears frames on its standard input.

It says frames on what was its standard output. When its input ends, the server is gone, and it ends too.
"""

import faulthandler
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import BinaryIO

from engine.errors import DeclarationError, InputError

from .line import SIZES, FrameError, decode, encode, sizes
from .log import say, say_error
from .messages import FromWorker, Stop, ToWorker
from .outfit import VARIABLE, Outfit
from .worker import Worker

LEAVING_SECONDS = 3.0
"""What a run is given to stop when the server is gone."""
UNUSABLE = 3
"""The exit status of a worker that cannot be had, such as for want of its node package."""


class Mouth:
    """Writes messages as frames, whole ones, from whatever thread."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.lock = threading.Lock()

    def __call__(self, message: FromWorker) -> None:
        """Say a message. That nobody listens any more is seen by who reads."""
        parts = encode(message)
        with self.lock:
            try:
                for part in parts:
                    self.file.write(part)
                self.file.flush()
            except (BrokenPipeError, ValueError):
                return


def read(file: BinaryIO) -> ToWorker | None:
    """The next message; none at the end.

    Raises:
        FrameError: It is none.
    """
    head = file.read(SIZES.size)
    if len(head) < SIZES.size:
        return None
    text, blob = sizes(head)
    found = decode(file.read(text), file.read(blob) if blob else b"")
    if not isinstance(found, ToWorker):
        raise FrameError(f"{type(found).__name__} is not for workers")
    return found


def taken_streams() -> tuple[BinaryIO, BinaryIO]:
    """The standard input and output, for frames alone: a node that prints writes to the log."""
    heard = os.fdopen(os.dup(0), "rb")
    said = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return heard, said


def watchdog(seconds: float) -> Callable[[], None]:
    """Told that the process lives; once that stays out, it tells where its threads are and ends.

    It works also while a node holds Python's lock.
    """
    if not seconds:
        return lambda: None
    return lambda: faulthandler.dump_traceback_later(seconds, exit=True, file=2)


def main() -> int:
    """Work until the input ends or `Stop` is heard."""
    faulthandler.enable(file=2)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the server decides
    heard, said = taken_streams()
    outfit = Outfit.from_json(os.environ.pop(VARIABLE))
    try:
        worker = Worker(outfit, Mouth(said), watchdog(outfit.hang))
        signal.signal(signal.SIGTERM, lambda *_: worker.hear(Stop()))
        worker.start()
    except (InputError, DeclarationError) as error:
        say("error", str(error))
        return UNUSABLE
    threading.Thread(target=_leave, args=(worker,), name="darkroom-leave", daemon=True).start()
    try:
        while (message := read(heard)) is not None:
            worker.hear(message)
    except FrameError as error:
        say_error("the server does not keep to the protocol", error)
    worker.hear(Stop(hurry=True))
    worker.ended.wait(LEAVING_SECONDS)
    return 0


def _leave(worker: Worker) -> None:
    """End the process once the worker has stopped; whatever threads nodes have left stay behind."""
    worker.ended.wait()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    os._exit(status)
