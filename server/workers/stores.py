"""The stores of a worker: one for each namespace, over one budget of memory."""

import sys
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from typing_extensions import override

from engine.journal import Journal
from engine.store import Memory, Record, Store
from server.homes import within
from server.settings import open_place

if TYPE_CHECKING:
    from engine.codecs import Codecs
    from engine.shared import Shared

    from .outfit import Outfit


class Share(MutableMapping[str, Record]):
    """The part of a memory tier that belongs to one namespace."""

    def __init__(self, whole: Memory, lock: Lock, namespace: str) -> None:
        self.whole, self.lock, self.prefix = whole, lock, f"{namespace}\0"

    @override
    def __getitem__(self, key: str) -> Record:
        with self.lock:
            return self.whole[self.prefix + key]

    @override
    def __setitem__(self, key: str, record: Record) -> None:
        with self.lock:
            self.whole[self.prefix + key] = record

    @override
    def __delitem__(self, key: str) -> None:
        with self.lock:
            del self.whole[self.prefix + key]

    @override
    def __iter__(self) -> Iterator[str]:
        with self.lock:
            keys = [key for key in self.whole if key.startswith(self.prefix)]
        return iter([key.removeprefix(self.prefix) for key in keys])

    @override
    def __len__(self) -> int:
        return sum(1 for _ in self)


class Stores:
    """Opens the store and the journal of a namespace when they are first asked for."""

    def __init__(self, outfit: "Outfit", codecs: "Codecs") -> None:
        self.outfit, self.codecs = outfit, codecs
        self.memory = Memory(outfit.memory_bytes)
        self.memory_lock = Lock()
        self.opened: dict[str, tuple[Store, Journal]] = {}
        self.lock = Lock()

    def folder(self, namespace: str) -> Path:
        """Where a namespace's results lie; the empty one's is the command line's too.

        Raises:
            InputError: The name would lead out of the data folder.
        """
        data = self.outfit.data
        return data if not namespace else within(data / "users", namespace)

    def store(self, namespace: str) -> Store:
        """The stored results that a namespace may see."""
        return self._open(namespace)[0]

    def journal(self, namespace: str) -> Journal:
        """What a namespace's earlier runs made."""
        return self._open(namespace)[1]

    def forget(self) -> None:
        """Let go of the results in memory."""
        with self.memory_lock:
            self.memory.clear()

    def _open(self, namespace: str) -> tuple[Store, Journal]:
        with self.lock:
            known = self.opened.get(namespace)
            if known is None:
                folder = self.folder(namespace)
                store = Store(
                    folder / "store",
                    self.codecs,
                    memory=Share(self.memory, self.memory_lock, namespace),
                    disk_bytes=self.outfit.disk_bytes,
                    shared=self._shared(namespace),
                )
                known = self.opened[namespace] = store, Journal(folder / "journal.db")
            return known

    def _shared(self, namespace: str) -> "Shared | None":
        from engine.disk import Disk
        from engine.shared import Shared

        named = self.outfit.shared_store
        if not named:
            return None
        if namespace:
            named = f"{named.rstrip('/')}/users/{namespace}"
            if "://" not in named:
                whole = Path(self.outfit.shared_store).expanduser()
                if whole.is_dir():
                    Path(named).expanduser().mkdir(parents=True, exist_ok=True)
        return Shared(Disk(open_place(named), self.codecs, budget=sys.maxsize))
