"""The workers of a server: which there are, who is free, and what becomes of a run."""

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import structlog

from .keeper import Heard, Keeper
from .messages import Answer, Done, Run
from .spec import Care, NotTaken, Opener, Spec, WorkerLost, WorkerView

_log = structlog.get_logger("workers")
Change = Literal["workers", "idle", "catalogue"]
DESK = Spec("desk")
ASK_SECONDS = 60.0


Follow = Callable[["Pool"], Coroutine[Any, Any, None]]


class Pool:
    """Keeps the workers alive, and a *desk*: one more that answers questions and runs nothing.

    Used from one event loop.

    Args:
        opener: Starts a worker.
        specs: The workers; none for one on each device that the first one finds, or for those
            that `follow` adds.
        care: When workers count as hung or worn out.
        follow: Goes on beside the workers, to add and remove some as machines come and go.
        on_change: Told that a worker is free for a run, that workers changed otherwise, or that the
            catalogue of nodes is another than before.
    """

    def __init__(
        self,
        opener: Opener,
        specs: Sequence[Spec] = (),
        *,
        care: Care | None = None,
        follow: Follow | None = None,
        on_change: Callable[[Change], None] = lambda _: None,
    ) -> None:
        self.opener, self.care, self.on_change = opener, care or Care(), on_change
        self.follow = follow
        self.finds_devices = not specs and follow is None
        self.keepers: dict[str, Keeper] = {}
        self.trouble = ""
        """What keeps `follow` from finding machines."""
        self.first = (Spec("worker-0"),) if self.finds_devices else tuple(specs)
        self.desk = Keeper(DESK, opener, self.care, self._desk_changed)
        self.catalogue = ""
        self.sources: tuple[str, ...] = ()
        self.stamp: object = None
        self.tasks: list[asyncio.Task[None]] = []
        self.closing: list[Callable[[], Coroutine[Any, Any, None]]] = []
        """What is to be done once all workers have ended."""

    async def start(self) -> None:
        """Start the desk and the workers; does not wait until they are ready."""
        self.desk.start()
        for spec in self.first:
            self.add(spec)
        self.tasks.append(asyncio.create_task(self._tick(), name="workers watched"))
        if self.care.reload is not None:
            watching = self._reloading(self.care.reload)
            self.tasks.append(asyncio.create_task(watching, name="nodes watched"))

        if self.follow is not None:
            self.tasks.append(asyncio.create_task(self.follow(self), name="machines watched"))

    async def stop(self, *, hurry: bool = False, seconds: float = 30.0) -> None:
        """End all workers: after their runs, or with `hurry` at their nodes' next progress.

        What does not end within `seconds` is killed, and its run raises `WorkerLost`.
        """
        for task in self.tasks:
            task.cancel()
        for task in self.tasks:
            with suppress(asyncio.CancelledError):
                await task
        everyone = [self.desk, *self.keepers.values()]
        await asyncio.gather(*(each.stop(hurry=hurry, seconds=seconds) for each in everyone))
        for close in self.closing:
            await close()
        self.closing.clear()

    # Who there is

    @property
    def workers(self) -> tuple[WorkerView, ...]:
        """Every worker as it is now, the desk aside."""
        return tuple(keeper.view for keeper in self.keepers.values())

    @property
    def fault(self) -> str | None:
        """Why no worker can be started, where that is so of every one."""
        keepers = tuple(self.keepers.values())
        if not all(keeper.unready for keeper in keepers):
            return None
        reason = keepers[0].reason if keepers else self.trouble
        return f"no worker can be started: {reason}" if reason else None

    def add(self, spec: Spec) -> None:
        """Keep one more worker alive."""
        keeper = Keeper(spec, self.opener, self.care, self._worker_changed)
        self.keepers[spec.id] = keeper
        keeper.start()

    async def remove(self, worker: str) -> None:
        """Let a worker go for good, its run with it: its machine is gone."""
        keeper = self.keepers.pop(worker, None)
        if keeper is not None:
            await keeper.stop(hurry=True, seconds=0.0)
            self.on_change("workers")

    # Runs and questions

    async def run(self, worker: str, run: Run, on_happened: Heard) -> Done:
        """Have an idle worker run something, and return how it ended.

        Raises:
            WorkerLost: The worker ended before the run did.
            NotTaken: It is not idle, or there is none of this name.
        """
        keeper = self.keepers.get(worker)
        if keeper is None:
            raise NotTaken(f"there is no worker {worker!r}")
        return await keeper.run(run, on_happened)

    async def cancel(self, run: str, grace: float) -> None:
        """Stop a run: at its node's next progress, or after `grace` seconds by ending its worker.

        The run ends "cancelled", or raises `WorkerLost` with the code "stopped".
        """
        keeper = self._runner(run)
        if keeper is not None:
            await keeper.cancel(grace)

    async def watch(self, run: str, previews: bool) -> None:
        """Have a run send previews, or no longer."""
        keeper = self._runner(run)
        if keeper is not None:
            await keeper.watch(previews=previews)

    async def ask(self, question: str, *, seconds: float = ASK_SECONDS, **arguments: Any) -> Answer:
        """Ask the desk; waits for it. A desk that ends meanwhile is asked once more.

        Raises:
            WorkerLost: It did not answer in time, or ended twice.
        """
        try:
            return await self.desk.ask(question, arguments, seconds)
        except WorkerLost as lost:
            if lost.code == "hung":
                raise
        return await self.desk.ask(question, arguments, seconds)

    async def free(self) -> None:
        """Have all workers let go of loaded models."""
        ready = [keeper for keeper in self.keepers.values() if keeper.usable.is_set()]
        asked = (keeper.ask("free", {}, ASK_SECONDS) for keeper in ready)
        await asyncio.gather(*asked, return_exceptions=True)

    def _runner(self, run: str) -> Keeper | None:
        for keeper in self.keepers.values():
            if keeper.running is not None and keeper.running.run == run:
                return keeper
        return None

    # What changes

    def _worker_changed(self, keeper: Keeper, what: str) -> None:
        if what == "ready" and self.finds_devices and keeper.life is not None:
            self._found(keeper)
        self.on_change("workers")
        if keeper.state == "idle":
            self.on_change("idle")

    def _found(self, keeper: Keeper) -> None:
        """The first worker says which devices there are: one more for each that it has not taken."""
        ready = None if keeper.life is None else keeper.life.ready
        if ready is None:
            return
        self.finds_devices = False
        for device in ready.devices:
            if device not in {ready.device, "cpu"}:
                self.add(Spec(f"worker-{len(self.keepers)}", device))

    def _desk_changed(self, keeper: Keeper, what: str) -> None:
        digest = keeper.view.catalogue
        if digest and digest != self.catalogue:
            self.catalogue = digest
            self.on_change("catalogue")
        self.on_change("workers")

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(self.care.tick)
            for keeper in [self.desk, *self.keepers.values()]:
                await keeper.look()

    async def _reloading(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            if not self.sources:
                with suppress(WorkerLost):
                    answer = await self.desk.ask("sources", {}, ASK_SECONDS)
                    self.sources = tuple(answer.value or ())
                    self.stamp = await asyncio.to_thread(stamped, self.sources)
                continue
            stamp = await asyncio.to_thread(stamped, self.sources)
            if stamp != self.stamp:
                self.stamp = stamp
                await self._reload()

    async def _reload(self) -> None:
        """Replace the desk, and once the new one could load the nodes, the workers."""
        _log.info("the files of the nodes have changed: workers are replaced")
        self.desk.hasten()
        await self.desk.replace()
        with suppress(WorkerLost):
            await self.desk.ask("sources", {}, ASK_SECONDS)
            for keeper in tuple(self.keepers.values()):
                keeper.hasten()
                await keeper.replace()


def stamped(folders: Iterable[str]) -> frozenset[tuple[str, int, int]]:
    """Changes when a Python file in the folders does."""
    found = set()
    for folder in folders:
        files = [Path(folder)] if Path(folder).is_file() else _python_files(folder)
        for path in files:
            with suppress(OSError):
                status = path.stat()
                found.add((str(path), status.st_size, status.st_mtime_ns))
    return frozenset(found)


def _python_files(folder: str) -> Iterable[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        yield from (Path(parent) / name for name in files if name.endswith(".py"))
