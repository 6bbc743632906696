"""What keeping results costs a run: text to image with the starter model, 20 steps, 128 x 128 pixels."""

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from typing_extensions import override

from engine.check import compile_graph
from engine.disk import Disk
from engine.executor import execute
from engine.place import Folder
from engine.records import Note, Sealed
from engine.shared import Shared
from engine.store import Record, Store
from engine.workflow import Workflow
from server.cli.documents import read_workflow, with_settings
from server.session import Session
from server.settings import Settings, shipped_workflows

KINDS = ["memory", "folder", "shared"]
REPEATS = 10
VALUES = ["steps=20", "width=128", "height=128"]
BOUNDS = {"store_folder_share": 0.02, "store_shared_share": 0.02}
"""Of the run's time: what is spent in the store's calls, and, shared, what its thread computes."""


def measure() -> dict[str, float]:
    """The store's share of a run with a folder, and with a shared folder behind it.

    The whole run's time against that of a run in memory is there too, without a bound: on a machine
    with anything else to do it scatters by more than what is measured. The three kinds take turns,
    and the ratio is the median over the turns.
    """
    with tempfile.TemporaryDirectory() as data:
        bench = Bench(Path(data))
        bench.run("memory")
        turns = [bench.turn(number) for number in range(REPEATS)]
    values = {}
    for kind in KINDS[1:]:
        shares = [turn[kind].inside / turn[kind].seconds for turn in turns]
        ratios = [turn[kind].seconds / turn["memory"].seconds for turn in turns]
        values[f"store_{kind}_share"] = statistics.median(shares)
        values[f"store_{kind}_over_memory"] = statistics.median(ratios)
    values["store_run_seconds"] = statistics.median(turn["memory"].seconds for turn in turns)
    return values


@dataclass(frozen=True)
class Timing:
    """How long a run took, and how much of it the store."""

    seconds: float
    inside: float


class Clock:
    """Adds up seconds; on several threads at once they count several times."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.lock = Lock()

    @contextmanager
    def running(self, now: Callable[[], float] = time.perf_counter) -> Iterator[None]:
        """Count what is inside."""
        began = now()
        yield
        with self.lock:
            self.seconds += now() - began


class ClockedStore(Store):
    """A store whose calls are timed."""

    clock: Clock

    @override
    def get(self, *arguments: Any, **options: Any) -> Record | None:
        """As the store's own, timed."""
        with self.clock.running():
            return super().get(*arguments, **options)

    @override
    def put(self, *arguments: Any, **options: Any) -> Note:
        """As the store's own, timed."""
        with self.clock.running():
            return super().put(*arguments, **options)


class ClockedShared(Disk):
    """Shared records; what computing their sharing takes is counted, waiting for the disk is not."""

    clock: Clock

    @override
    def offer(self, sealed: Sealed, *, replace: bool = False) -> bool:
        """As the disk's own, timed."""
        with self.clock.running(time.thread_time):
            return super().offer(sealed, replace=replace)


class Bench:
    """One workflow with its models loaded, run on fresh stores."""

    def __init__(self, data: Path) -> None:
        self.data = data
        path = shipped_workflows() / "text-to-image.json"
        self.session = Session(Settings(data=data), workflow_folder=path.parent)
        workflow = read_workflow(path, self.session.settings.nodes)
        self.workflow: Workflow = with_settings(workflow, VALUES, self.session.catalog)

    def turn(self, number: int) -> dict[str, Timing]:
        """One run of each kind, in any order: each leaves something to the next."""
        order = random.Random(number).sample(KINDS, len(KINDS))
        return {kind: self.run(kind) for kind in order}

    def run(self, kind: str) -> Timing:
        """One run on a store of its own."""
        with tempfile.TemporaryDirectory(dir=self.data) as folder:
            store = self.store(kind, Path(folder))
            program = compile_graph(self.workflow, self.session.catalog, self.session.runtime)
            began = time.perf_counter()
            execute(program, store, self.session.runtime)
            seconds = time.perf_counter() - began
            store.flush()
        return Timing(seconds, store.clock.seconds)

    def store(self, kind: str, folder: Path) -> ClockedStore:
        """A store in memory, in a folder, or in a folder before a shared one."""
        codecs = self.session.runtime.codecs
        clock = Clock()
        shared = ClockedShared(Folder(folder / "shared"), codecs, 0)
        shared.clock = clock
        store = ClockedStore(
            None if kind == "memory" else folder / "store",
            codecs,
            shared=Shared(shared) if kind == "shared" else None,
        )
        store.clock = clock
        return store
