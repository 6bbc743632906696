"""Keeps one worker alive: starts it, watches it, and starts another when it is gone."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import structlog

from engine.errors import InputError
from server.failures import problem_document

from .line import Code, Line, LineClosed
from .messages import (
    Answer,
    Ask,
    Beat,
    Cancel,
    Done,
    FromWorker,
    Happened,
    Json,
    Ready,
    Run,
    Stop,
    ToWorker,
    Watch,
)
from .spec import Care, NotTaken, Opener, Spec, WorkerLost, WorkerState, WorkerView

_log = structlog.get_logger("workers")
FAREWELL_SECONDS = 5.0
"""What a line is given to take a last word, or to be killed: its network may be gone."""
Heard = Callable[[Happened], None]
Changed = Callable[["Keeper", str], None]
"""Told `state`, or `ready` when a worker has started."""


@dataclass
class _Running:
    """A run that was given to the worker."""

    run: str
    heard: Heard
    done: "asyncio.Future[Done]"


@dataclass
class _Life:
    """One worker from its start to its end."""

    line: Line
    began: float = field(default_factory=time.monotonic)
    beaten: float = field(default_factory=time.monotonic)
    ready: Ready | None = None
    beat: Beat = field(default_factory=lambda: Beat(0))
    runs: int = 0
    leaving: float | None = None
    """Since when it is to leave."""
    ending: LineClosed | None = None
    """Why it was killed by us."""


class Keeper:
    """One worker as the pool sees it; used from the event loop alone."""

    def __init__(self, spec: Spec, opener: Opener, care: Care, changed: Changed) -> None:
        self.spec, self.opener, self.care, self.changed = spec, opener, care, changed
        self.life: _Life | None = None
        self.running: _Running | None = None
        self.asked: dict[int, asyncio.Future[Answer]] = {}
        self.numbers = count(1)
        self.failures = 0
        self.restarts = -1
        self.reason = ""
        self.unready = False
        """Whether its last start failed, up to one that does not."""
        self.waiting = False
        self.stopping = False
        self.wake = asyncio.Event()
        self.usable = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    # What others see

    @property
    def state(self) -> WorkerState:
        """What the worker is doing."""
        if self.waiting or self.stopping:
            return "lost"
        if self.life is None or self.life.ready is None:
            return "starting"
        if self.running is not None:
            return "busy"
        return "starting" if self.life.leaving is not None else "idle"

    @property
    def view(self) -> WorkerView:
        """The worker as it is now."""
        ready = None if self.life is None else self.life.ready
        beat = Beat(0) if self.life is None else self.life.beat
        return WorkerView(
            id=self.spec.id,
            device=self.spec.device if ready is None else ready.device,
            machine="" if ready is None else ready.machine,
            state=self.state,
            pid=0 if ready is None else ready.pid,
            rss=beat.rss,
            warm=beat.warm,
            memory=beat.memory,
            run=None if self.running is None else self.running.run,
            restarts=max(self.restarts, 0),
            reason=self.reason,
            catalogue="" if ready is None else ready.catalogue,
        )

    # What it is asked to do

    def start(self) -> None:
        """Begin to keep the worker alive."""
        self.task = asyncio.create_task(self._keep(), name=f"worker {self.spec.id}")

    async def stop(self, *, hurry: bool, seconds: float) -> None:
        """Let the worker finish its run, or stop it with `hurry`, and end it after `seconds`."""
        self.stopping = True
        self.wake.set()
        life = self.life
        if life is not None:
            await _briefly(life.line.send(Stop(hurry=hurry)))
        if self.task is not None:
            await asyncio.wait([self.task], timeout=seconds)
            if not self.task.done():
                await self.end("the server stops", "stopped")
                await asyncio.wait([self.task], timeout=FAREWELL_SECONDS)
            self.task.cancel()
            with suppress(asyncio.CancelledError):
                await self.task

    async def run(self, run: Run, heard: Heard) -> Done:
        """Have the worker run something.

        Raises:
            WorkerLost: The worker ended before the run did.
            NotTaken: It was not idle.
        """
        if self.state != "idle":
            raise NotTaken(f"the worker {self.spec.id} is {self.state}")
        future: asyncio.Future[Done] = asyncio.get_running_loop().create_future()
        self.running = _Running(run.run, heard, future)
        self.changed(self, "state")
        saying = asyncio.create_task(self.say(run))
        await asyncio.wait((saying, future), return_when=asyncio.FIRST_COMPLETED)
        if future.done():  # it was lost, even where its line still takes nothing
            saying.cancel()
            await asyncio.wait((saying,))
        elif (error := saying.exception()) is not None:
            self.running = None
            self.changed(self, "state")
            if not isinstance(error, (InputError, OSError)):
                raise error
            return Done(run.run, "failed", {}, (), problem_document(error))  # it cannot be sent
        return await future

    async def say(self, message: ToWorker) -> None:
        """Say something to the worker, if there is one; its end is heard elsewhere."""
        if self.life is not None:
            await self.life.line.send(message)

    async def watch(self, *, previews: bool) -> None:
        """Have the present run send previews, or no longer."""
        if self.running is not None:
            await _briefly(self.say(Watch(self.running.run, previews)))

    async def cancel(self, grace: float) -> None:
        """Stop the present run; a node that does not yield within `grace` seconds loses its worker."""
        running = self.running
        if running is None:
            return
        await _briefly(self.say(Cancel(running.run)))
        await asyncio.wait([running.done], timeout=grace)
        if self.running is running:
            await self.end("the run was cancelled and its node did not yield", "stopped")

    async def ask(self, question: str, arguments: Json, seconds: float) -> Answer:
        """Put a question to the worker.

        Raises:
            WorkerLost: There is none, it ended, or it did not answer in time.
        """
        number = next(self.numbers)
        try:
            async with asyncio.timeout(seconds):
                await self.usable.wait()
                future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
                self.asked[number] = future
                await self.say(Ask(number, question, arguments))
                return await future
        except TimeoutError as error:
            reason = f" ({self.reason})" if self.reason else ""
            raise WorkerLost(
                f"the question {question!r} was not answered within {seconds:g} s: the worker"
                f" {self.spec.id} is {self.state}{reason}",
                "hung",
            ) from error
        finally:
            self.asked.pop(number, None)

    async def end(self, reason: str, code: Code) -> None:
        """End the worker at once; another is started."""
        life = self.life
        if life is None or life.ending is not None:
            return
        life.ending = LineClosed(reason, code)
        trace = getattr(life.line, "trace", None)
        if code == "hung" and trace is not None:
            await trace()
        await _briefly(life.line.kill())

    def hasten(self) -> None:
        """Start a worker now that waits to be started again."""
        self.failures = 0
        self.wake.set()

    async def replace(self) -> None:
        """Have an idle worker leave for another; a busy one leaves after its run."""
        life = self.life
        if life is None or life.leaving is not None:
            return
        life.leaving = time.monotonic()
        self.usable.clear()
        self.changed(self, "state")
        await life.line.send(Stop())

    async def look(self) -> None:
        """End a worker that hangs, be it in starting, altogether or in its run."""
        life = self.life
        if life is None or life.ending is not None:
            return
        now = time.monotonic()
        silent = now - life.beaten
        if life.ready is None:
            if now - life.began > self.care.start:
                await self.end(f"it was not ready after {self.care.start:g} s", "hung")
        elif silent > self.care.beat:
            await self.end(f"it has given no sign of life for {silent:.0f} s", "hung")
        elif self.running is not None:
            idle = life.beat.progressed
            if self.care.stall is not None and idle > self.care.stall:
                await self.end(f"its run made no progress for {idle:.0f} s", "hung")
        elif life.leaving is not None and now - life.leaving > self.care.leave:
            await self.end("it did not leave", "stopped")

    # Its life

    async def _keep(self) -> None:
        try:
            await self._keep_alive()
        finally:
            self._settle(LineClosed("nobody keeps it any more", "stopped"))

    async def _keep_alive(self) -> None:
        while not self.stopping:
            self.restarts += 1
            closed = await self._live()
            life, self.life = self.life, None
            self.usable.clear()
            self._settle(closed)
            if self.stopping:
                return
            lived = 0.0 if life is None or life.ready is None else time.monotonic() - life.began
            was_asked = life is not None and (life.leaving is not None or life.ending is not None)
            if (life is not None and life.runs) or lived > self.care.steady:
                self.failures = 0
            if life is None or life.ending is not None or not was_asked:
                self.reason = closed.reason
            self.unready = life is None or life.ready is None
            if was_asked and life is not None and life.ready is not None:
                self.changed(self, "state")
                continue
            _log.error(
                "a worker is lost", worker=self.spec.id, reason=closed.reason, code=closed.code
            )
            await self._pause()

    async def _pause(self) -> None:
        """Wait, the longer the more starts have failed in a row."""
        pause = self.care.first_pause * 2 ** (self.failures - 1) if self.failures else 0.0
        self.failures = min(self.failures + 1, 20)
        self.waiting = True
        self.wake.clear()
        self.changed(self, "state")
        if not self.stopping:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.wake.wait(), min(pause, self.care.longest_pause))
        self.waiting = False
        self.changed(self, "state")

    async def _live(self) -> LineClosed:
        """Start a worker and listen to it until it is gone; returns how it went."""
        try:
            line = await self.opener(self.spec)
        except LineClosed as closed:
            return closed
        except OSError as error:
            return LineClosed(f"it cannot start: {error}")
        except Exception as error:  # noqa: BLE001 - a fault costs this start, not the worker's keeper
            _log.exception("a worker cannot be started", worker=self.spec.id)
            return LineClosed(f"it cannot start: {type(error).__name__}: {error}")
        self.life = life = _Life(line)
        if self.stopping:
            await self.end("the server stops", "stopped")
        try:
            while True:
                await self._hear(life, await line.receive())
        except LineClosed as closed:
            return life.ending or closed
        except asyncio.CancelledError:
            await _briefly(line.kill())
            raise
        except Exception as error:  # noqa: BLE001 - a fault costs this worker, not its keeper
            _log.exception("a worker cannot be listened to", worker=self.spec.id)
            await _briefly(line.kill())
            return LineClosed(f"it cannot be listened to: {type(error).__name__}: {error}")

    def _settle(self, closed: LineClosed) -> None:
        """Tell those who wait for the worker that it is gone."""
        running, self.running = self.running, None
        if running is not None and not running.done.done():
            reason = f"the worker {self.spec.id} is lost: {closed.reason}"
            running.done.set_exception(WorkerLost(reason, closed.code))
        for future in self.asked.values():
            if not future.done():
                future.set_exception(WorkerLost(closed.reason, closed.code))

    async def _hear(self, life: _Life, message: FromWorker) -> None:
        life.beaten = time.monotonic()
        match message:
            case Ready():
                life.ready = message
                self.unready = False
                self.usable.set()
                self.changed(self, "ready")
            case Beat():
                life.beat = message
            case Happened():
                self._happened(message)
            case Done():
                await self._done(life, message)
            case Answer():
                future = self.asked.get(message.number)
                if future is not None and not future.done():
                    future.set_result(message)

    def _happened(self, message: Happened) -> None:
        running = self.running
        if running is None or running.run != message.run:
            return
        try:
            running.heard(message)
        except Exception:  # noqa: BLE001 - a listener's fault costs its event, not the worker
            _log.exception("an event could not be told", worker=self.spec.id, run=message.run)

    async def _done(self, life: _Life, done: Done) -> None:
        running = self.running
        if running is None or running.run != done.run:
            return
        life.runs += 1
        self.running = None
        if not running.done.done():
            running.done.set_result(done)
        care = self.care
        is_large = care.most_bytes is not None and life.beat.own > care.most_bytes
        is_old = care.most_runs is not None and life.runs >= care.most_runs
        if life.leaving is None and (is_large or is_old):
            _log.info(
                "a worker is replaced", worker=self.spec.id, own=life.beat.own, runs=life.runs
            )
            await self.replace()
        else:
            self.changed(self, "state")


async def _briefly(work: Coroutine[Any, Any, None]) -> None:
    """Wait for something that a line whose network is gone might never do."""
    with suppress(TimeoutError):
        await asyncio.wait_for(work, FAREWELL_SECONDS)
