"""The shared tier: records that several machines find, written in the background."""

from collections import deque
from collections.abc import Callable
from threading import Condition, Thread
from typing import Any, TypeVar

from .disk import Disk, StoreSize
from .errors import StoreError, os_reason
from .records import DamagedError, Note, Sealed

MOST_WAITING = 1000
"""Records that may wait to be shared. They wait by key alone: the local tier holds them."""

T = TypeVar("T")
Warn = Callable[[str], None]
Source = Callable[[str], Sealed | None]
"""The record to be shared for a key; none if it is gone again."""


def _unheard(message: str) -> None:
    """Whoever looks without a run is not told: what cannot be reached holds nothing for them."""


class Shared:
    """Records for several machines. Its failures cost a run one warning, and nothing else.

    Once it could not be read it is not asked again until the next run begins, and likewise for
    writing. Reading changes nothing in it: a damaged record is a miss, and is replaced by whoever
    makes the result again.
    """

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.warn: Warn = _unheard
        self.warned = False
        self.readable = self.writable = True
        self.damaged: set[str] = set()
        self.waiting: deque[tuple[str, Source]] = deque()
        self.thread: Thread | None = None
        self.changed = Condition()

    @property
    def title(self) -> str:
        """What people know it by: a folder or a URL."""
        return self.disk.place.title

    def begin(self, warn: Warn) -> None:
        """Ask it again if it could not be reached, and tell `warn`, once, what is amiss with it."""
        with self.changed:
            self.warn, self.warned = warn, False
            self.readable = self.writable = True

    def note(self, key: str) -> tuple[Note, Any] | None:
        """The notes of a record and its tree of values; none if not there, damaged or out of reach."""
        head = self._ask(self.disk.head, key)
        return None if head is None else (head.note, head.values)

    def fetch(self, key: str) -> Sealed | None:
        """A record, checked; none if it is not there, damaged or out of reach."""
        return self._ask(self.disk.fetch, key)

    def publish(self, key: str, source: Source) -> None:
        """Share a record soon, unless its key has one; does not wait."""
        with self.changed:
            if not self.writable:
                return
            full = len(self.waiting) >= MOST_WAITING
            if not full:
                self.waiting.append((key, source))
            if self.thread is None:
                self.thread = Thread(target=self._work, name="darkroom-shared", daemon=True)
                self.thread.start()
        if full:
            self._tell("is slower than the run: some results stay on this machine")

    def flush(self, seconds: float | None = None) -> int:
        """Wait until all is shared, at most `seconds`; how many records still wait."""
        with self.changed:
            self.changed.wait_for(lambda: self.thread is None, seconds)
            return len(self.waiting)

    def size(self) -> StoreSize:
        """How much it holds.

        Raises:
            StoreError: It cannot be reached.
        """
        return self._do(self.disk.size, "read")

    def prune(self, budget: int) -> int:
        """Bring it to at most `budget` bytes, longest unused first; the bytes freed.

        Raises:
            StoreError: It cannot be reached, or does not allow it.
        """
        return self._do(lambda: self.disk.prune(budget), "pruned")

    def clear(self) -> int:
        """Empty it; the bytes freed.

        Raises:
            StoreError: It cannot be reached.
        """
        return self._do(self.disk.clear, "cleared")

    def _ask(self, look: Callable[[str], T | None], key: str) -> T | None:
        if not self.readable:
            return None
        try:
            return look(key)
        except DamagedError:
            self.damaged.add(key)
        except OSError as error:
            self.readable = self.writable = False
            self._tell(f"cannot be read, and is not asked again in this run: {os_reason(error)}")
        return None

    def _work(self) -> None:
        while True:
            with self.changed:
                if not self.writable:
                    self.waiting.clear()
                if not self.waiting:
                    self.thread = None
                    self.changed.notify_all()
                    return
                key, source = self.waiting[0]
            self._share(key, source)
            with self.changed:
                self.waiting.popleft()

    def _share(self, key: str, source: Source) -> None:
        try:
            sealed = source(key)
            if sealed is not None:
                self.disk.offer(sealed, replace=key in self.damaged)
                self.damaged.discard(key)
        except Exception as error:  # noqa: BLE001 - the worker of a queue: one must not stop the rest
            self.writable = False
            cause = os_reason(error) if isinstance(error, OSError) else repr(error)
            self._tell(f"cannot be written, results stay on this machine: {cause}")

    def _tell(self, what: str) -> None:
        with self.changed:
            if self.warned:
                return
            self.warned = True
            warn = self.warn
        warn(f"the shared store {self.title} {what}")

    def _do(self, action: Callable[[], T], done: str) -> T:
        try:
            return action()
        except OSError as error:
            message = f"the shared store {self.title} cannot be {done}: {os_reason(error)}"
            raise StoreError(message) from error
