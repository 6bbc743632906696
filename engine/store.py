"""Results by key: a memory tier within a budget of bytes, over a disk tier, over a shared one."""

import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any

from typing_extensions import override

from .artifacts import Artifact, Delivery
from .codecs import Codecs
from .disk import Disk, StoreSize
from .errors import StoreError
from .place import Folder
from .records import DamagedError, Note, Sealed, seal
from .shared import Shared, Warn
from .trace import NOTHING, Trace

GIGABYTE = 2**30
_READ_SECONDS = 5e-4
_READ_BYTES_PER_SECOND = 5e8
"""What reading a record back costs, roughly: a result cheaper than that is not worth a file."""


@dataclass(frozen=True, slots=True)
class Record:
    """A node's outputs by name, with what making them cost, and what is behind them."""

    outputs: Mapping[str, Any]
    note: Note
    trace: Trace = NOTHING


MOST_RECORDS = 20_000
"""In memory: about a kilobyte each, beside the values."""


class Memory(MutableMapping[str, Record]):
    """Records in memory; the least recently used go first when the budget of bytes is full.

    Small results cost more than their bytes, and many jobs leave many: so their number is bounded too.
    """

    def __init__(self, budget: int, most: int = MOST_RECORDS) -> None:
        self.budget, self.most = budget, most
        self.used = 0
        self.records: OrderedDict[str, Record] = OrderedDict()

    @override
    def __getitem__(self, key: str) -> Record:
        self.records.move_to_end(key)
        return self.records[key]

    @override
    def __contains__(self, key: object) -> bool:
        return key in self.records

    @override
    def __setitem__(self, key: str, record: Record) -> None:
        if key in self.records:
            del self[key]
        if record.note.size > self.budget:
            return
        self.records[key] = record
        self.used += record.note.size
        while self.used > self.budget or len(self.records) > self.most:
            _, oldest = self.records.popitem(last=False)
            self.used -= oldest.note.size

    @override
    def __delitem__(self, key: str) -> None:
        self.used -= self.records.pop(key).note.size

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self.records)

    @override
    def __len__(self) -> int:
        return len(self.records)


class Store:
    """Where results are found again. Safe to use from several threads.

    Args:
        folder: The disk tier's folder; without one the store forgets with the process.
        codecs: How values become JSON and tensors.
        memory: The memory tier; any mapping will do.
        memory_bytes: The memory tier's budget.
        disk_bytes: The disk tier's budget.
        shared: The tier behind the disk, for several machines. What is found there is copied to the
            disk; what is written to the disk goes there in the background. Needs a folder.
    """

    def __init__(
        self,
        folder: Path | None = None,
        codecs: Codecs | None = None,
        *,
        memory: MutableMapping[str, Record] | None = None,
        memory_bytes: int = 2 * GIGABYTE,
        disk_bytes: int = 20 * GIGABYTE,
        shared: Shared | None = None,
    ) -> None:
        self.codecs = codecs or Codecs()
        self.memory = Memory(memory_bytes) if memory is None else memory
        self.disk = Disk(Folder(folder), self.codecs, disk_bytes) if folder else None
        self.shared = shared
        self.lock = Lock()
        if shared is not None and folder is None:
            raise StoreError("a shared tier needs a disk tier before it: give the store a folder")

    def begin(self, warn: Warn) -> None:
        """A run begins: what is amiss with the shared tier is told to `warn`, once."""
        if self.shared is not None:
            self.shared.begin(warn)

    def note(self, key: str, delivery: Delivery) -> Note | None:
        """What is known of a stored result, without reading its tensors; none if it must be made.

        A result that is a delivered file is there only while the file is.
        """
        with self.lock:
            record = self.memory.get(key)
            if record is not None:
                return record.note if _delivered(record.outputs, delivery) else None
        if self.disk is None:
            return None
        found = self.disk.note(key)
        if found is None and self.shared is not None:
            found = self.shared.note(key)
        if found is None:
            return None
        note, tree = found
        try:
            return note if _delivered_tree(self.codecs, tree, delivery) else None
        except (StoreError, TypeError, KeyError):  # written by a version with other fields
            return None

    def get(self, key: str, delivery: Delivery, *, share: bool = True) -> Record | None:
        """The record for a key; a damaged one, or one whose file is gone, is none.

        Args:
            key: Its derivation key.
            delivery: Where delivered files must still be.
            share: Ask the shared tier too.
        """
        with self.lock:
            record = self.memory.get(key)
        if record is None and self.disk is not None:
            found = self.disk.read(key) or (self._fetched(key, self.disk) if share else None)
            if found is not None:
                record = Record(found[1], found[0], Trace(found[0].behind))
                with self.lock:
                    self.memory[key] = record
        if record is None or not _delivered(record.outputs, delivery):
            return None
        return record

    def put(
        self,
        key: str,
        outputs: Mapping[str, Any],
        type_name: str,
        seconds: float,
        *,
        keep: bool,
        run: str = "",
        peak: int | None = None,
        trace: Trace = NOTHING,
        share: bool = True,
    ) -> Note:
        """Keep a result: in memory, and on disk if reading it back is cheaper than making it.

        Args:
            key: Its derivation key.
            outputs: The node's outputs by name.
            type_name: The node's type.
            seconds: What making it took.
            keep: Write it to disk even when it was cheap.
            run: The run that made it.
            peak: Bytes of memory that making it took, if measured.
            trace: What is known of the nodes behind it.
            share: What is written to disk goes to the shared tier too, in the background; not if
                it names delivered files, which lie on this machine.

        Raises:
            OSError: The disk is full or not writable. The result is in memory all the same.
            StoreError: A value is of a class that no codec knows; it is not kept.
            ValueError: A number is infinite or NaN, which JSON has not; it is in memory.
        """
        size = self.codecs.size(outputs)
        note = Note(type_name, seconds, time.time(), size, run, peak)
        with self.lock:
            self.memory[key] = Record(outputs, note, trace)
        if self.disk is not None and (
            keep or seconds > _READ_SECONDS + size / _READ_BYTES_PER_SECOND
        ):
            sealed = seal(key, outputs, replace(note, behind=trace.entries()), self.codecs)
            self.disk.write(sealed)
            if share and self.shared is not None and not _artifact_trees(sealed.head.values):
                self.shared.publish(key, self._sealed)
        return note

    def flush(self, seconds: float | None = None) -> int:
        """Wait until results are shared, at most `seconds`; how many still wait."""
        return 0 if self.shared is None else self.shared.flush(seconds)

    def _fetched(self, key: str, disk: Disk) -> tuple[Note, dict[str, Any]] | None:
        """A record of the shared tier, copied to the disk."""
        sealed = None if self.shared is None else self.shared.fetch(key)
        if sealed is None:
            return None
        try:
            outputs = sealed.outputs(self.codecs)
        except StoreError:  # another version of the nodes wrote it
            return None
        with suppress(OSError):  # it is found again where it was
            disk.write(sealed)
        return sealed.head.note, outputs

    def _sealed(self, key: str) -> Sealed | None:
        """What the disk holds for a key now."""
        with suppress(DamagedError, OSError):
            return self._disk().fetch(key)
        return None

    def size(self) -> StoreSize:
        """How much the disk tier holds."""
        return self._disk().size()

    def prune(self, budget: int) -> int:
        """Bring the disk tier to at most `budget` bytes, longest unused first; the bytes freed."""
        return self._disk().prune(budget)

    def clear(self) -> int:
        """Empty the tiers in memory and on disk; the bytes freed on disk."""
        with self.lock:
            self.memory.clear()
        return self._disk().clear()

    def _disk(self) -> Disk:
        if self.disk is None:
            raise StoreError("this store has no disk tier: give it a folder")
        return self.disk


def _delivered(outputs: Mapping[str, Any], delivery: Delivery) -> bool:
    return all(
        artifact.intact(delivery.folder) or artifact.intact(delivery.previews)
        for artifact in artifacts_in(list(outputs.values()))
    )


def artifacts_in(value: object) -> Iterator[Artifact]:
    """Every delivered file inside an output, through lists."""
    if isinstance(value, Artifact):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from artifacts_in(item)


def _delivered_tree(codecs: Codecs, tree: Any, delivery: Delivery) -> bool:
    """As `_delivered`, on stored JSON: only trees that hold artifacts are decoded."""
    artifacts = [codecs.decode(part, {}) for part in _artifact_trees(tree)]
    return _delivered({"": artifacts}, delivery)


def _artifact_trees(tree: Any) -> list[dict[str, Any]]:
    name = f"{Artifact.__module__}:{Artifact.__qualname__}"
    return [part for part in _parts(tree) if part.get("$value") == name]


def _parts(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
        for item in tree.values():
            yield from _parts(item)
    elif isinstance(tree, list):
        for item in tree:
            yield from _parts(item)
