"""A worker: runs one workflow at a time, and answers questions meanwhile."""

import os
import platform
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

from server.failures import problem_document
from server.plain import finite

from .attempt import Attempt
from .log import say_error
from .messages import (
    Answer,
    Ask,
    Beat,
    Cancel,
    Done,
    FromWorker,
    Lent,
    Ready,
    Run,
    Stop,
    ToWorker,
    Watch,
)
from .outfit import Outfit
from .questions import SLOW, Questions
from .workshop import Workshop

BEAT_SECONDS = 1.0
SHARING_SECONDS = 30.0
"""How long a worker that leaves still shares results."""


class Worker:
    """Knows neither processes nor networks: it hears messages, and says others by `send`.

    Args:
        outfit: What it works with.
        send: Called from several threads, also at once.
        on_beat: Called with every beat, from the thread that beats.

    Raises:
        InputError: There is no such node package or device.
        DeclarationError: A node is declared wrongly.
    """

    def __init__(
        self,
        outfit: Outfit,
        send: Callable[[FromWorker], None],
        on_beat: Callable[[], None] = lambda: None,
    ) -> None:
        self.send, self.on_beat = send, on_beat
        self.workshop = Workshop(outfit)
        self.questions = Questions(self.workshop)
        self.attempts: dict[str, Attempt] = {}
        """Those that have not ended, by run: a cancellation reaches the run that it names or none."""
        self.lent: dict[str, list[Lent]] = {}
        self.queue: SimpleQueue[Attempt | None] = SimpleQueue()
        self.lock = threading.Lock()
        self.ended = threading.Event()
        """Set once the last run is over after `Stop`."""
        self.quick = ThreadPoolExecutor(1, "darkroom-questions")
        self.slow = ThreadPoolExecutor(1, "darkroom-files")

    def start(self) -> None:
        """Begin to beat and to run, and tell that the worker is ready."""
        threading.Thread(target=self._run, name="darkroom-run", daemon=True).start()
        workshop = self.workshop
        self.send(
            Ready(
                pid=os.getpid(),
                device=workshop.device,
                devices=workshop.devices,
                catalogue=workshop.digest,
                profile=dict(workshop.profile),
                machine=platform.node(),
            )
        )
        threading.Thread(target=self._beat, name="darkroom-beat", daemon=True).start()

    def hear(self, message: ToWorker) -> None:
        """Take a message in; returns at once."""
        match message:
            case Run():
                self._accept(message)
            case Lent():
                self.lent.setdefault(message.run, []).append(message)
            case Cancel():
                attempt = self._attempt(message.run)
                if attempt is not None:
                    attempt.cancel.set()
            case Watch():
                attempt = self._attempt(message.run)
                if attempt is not None:
                    attempt.telling.watched = message.previews
            case Ask():
                lane = self.slow if message.question in SLOW else self.quick
                lane.submit(self._answer, message)
            case Stop():
                self._stop(hurry=message.hurry)

    def _accept(self, run: Run) -> None:
        attempt = Attempt(run, self.workshop, self.send)
        attempt.lent = self.lent.pop(run.run, [])
        with self.lock:
            self.attempts[run.run] = attempt
        self.queue.put(attempt)

    def _attempt(self, run: str) -> Attempt | None:
        with self.lock:
            return self.attempts.get(run)

    def _stop(self, *, hurry: bool) -> None:
        if hurry:
            with self.lock:
                for attempt in self.attempts.values():
                    attempt.cancel.set()
        self.queue.put(None)

    def _run(self) -> None:
        while (attempt := self.queue.get()) is not None:
            done = attempt.perform()
            with self.lock:
                del self.attempts[done.run]
            try:
                self.send(done)
            except ValueError as error:  # more than a message can carry
                self.send(Done(done.run, "failed", {}, (), problem_document(error)))
        for store, _ in list(self.workshop.stores.opened.values()):
            store.flush(SHARING_SECONDS)
        self.ended.set()

    def _beat(self) -> None:
        while not self.ended.is_set():
            with self.lock:
                idle = max((each.idle_seconds for each in self.attempts.values()), default=0.0)
            runtime = self.workshop.runtime
            memory = dict(runtime.memory())
            beat = Beat(*size(), runtime.warm(), memory, round(idle, 3))
            self.send(beat)
            self.on_beat()
            time.sleep(BEAT_SECONDS)

    def _answer(self, ask: Ask) -> None:
        try:
            reply = self.questions.answer(ask.question, ask.arguments)
            answer = Answer(ask.number, finite(reply.value), blob=reply.blob)
        except Exception as error:  # noqa: BLE001 - whatever is wrong is the answer
            document = problem_document(error)
            if document["code"] == "internal":
                say_error("a question could not be answered", error, question=ask.question)
            told = self.questions.places(ask.arguments).hidden(document)
            answer = Answer(ask.number, error=told)
        self.send(answer)


class Size(NamedTuple):
    """What a process takes of the memory, in bytes."""

    resident: int
    own: int
    """Without what is in files, mapped weights above all: the system can let go of that."""


def size() -> Size:
    """What this process takes now; on systems that do not tell, the most it took."""
    try:
        fields = Path("/proc/self/statm").read_text(encoding="ascii").split()
    except OSError:
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        most *= 1 if sys.platform == "darwin" else 1024
        return Size(most, most)
    page = os.sysconf("SC_PAGE_SIZE")
    resident, shared = int(fields[1]) * page, int(fields[2]) * page
    return Size(resident, resident - shared)
