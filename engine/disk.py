"""Records in a place: each is read whole or not at all."""

import re
import time
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from .codecs import Codecs
from .errors import StoreError
from .place import Place, Stored
from .records import DamagedError, Head, Note, Sealed, head_name, join, key_of, parse_head

LEFT_BEHIND = 3600.0
"""Seconds after which a file that no record names is not going to get one."""
_UNFINISHED = re.compile(r"../\.writing-.*")


@dataclass(frozen=True)
class StoreSize:
    """How much a tier holds, and how much it may."""

    records: int
    bytes: int
    budget: int


@dataclass(slots=True)
class _Entry:
    """The files of one key."""

    key: str
    files: list[Stored] = field(default_factory=list)

    @property
    def used(self) -> float:
        return max(file.used for file in self.files)

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def has_head(self) -> bool:
        return any(file.name == head_name(self.key) for file in self.files)


class Disk:
    """Records in a place, within a budget of bytes, checked when they are read.

    A record is `ab/abcd….json` (values as JSON, notes, digests) and, where it holds tensors,
    `ab/abcd….0123….safetensors`, written first and named by its content, so that whichever of
    several writers of a key comes last, its JSON finds its own tensors.
    """

    def __init__(self, place: Place, codecs: Codecs, budget: int) -> None:
        self.place = place
        self.codecs = codecs
        self.budget = budget
        self.used: int | None = None
        self.lock = Lock()

    # Looking, without changing anything

    def head(self, key: str) -> Head | None:
        """A record without its tensors, which are there too; none if there is no such record.

        Raises:
            DamagedError: It is damaged.
            OSError: The place cannot be read.
        """
        head = self._head(key)
        if head is None or head.tensors is None or self.place.exists(head.tensors_name):
            return head
        raise DamagedError

    def fetch(self, key: str) -> Sealed | None:
        """A record with its tensors, every byte checked; none if there is no such record.

        Raises:
            DamagedError: It is damaged.
            OSError: The place cannot be read.
        """
        head = self._head(key)
        if head is None:
            return None
        tensors = None if head.tensors is None else self.place.read(head.tensors_name)
        sealed = join(head, tensors)
        self._touch(head)
        return sealed

    # A place of one's own: what is damaged goes

    def note(self, key: str) -> tuple[Note, Any] | None:
        """The notes of a record and its tree of values, if the record is there and whole."""
        try:
            head = self.head(key)
        except OSError:
            return None
        except DamagedError:
            self._discard(key)
            return None
        return None if head is None else (head.note, head.values)

    def read(self, key: str) -> tuple[Note, dict[str, Any]] | None:
        """A record's outputs by name, or none if it is not there or damaged."""
        try:
            sealed = self.fetch(key)
            return None if sealed is None else (sealed.head.note, sealed.outputs(self.codecs))
        except OSError:
            return None
        except (DamagedError, StoreError):
            self._discard(key)
            return None

    def write(self, sealed: Sealed) -> None:
        """Write a record, in the place of one of its key; what is there already is not written again.

        Raises:
            OSError: The place is full or not writable; nothing is left behind.
        """
        head, tensors = sealed.head, sealed.tensors
        fresh = tensors is not None and self.place.read(head.tensors_name) != tensors
        if tensors is not None and fresh:
            self.place.write(head.tensors_name, tensors)
        elif tensors is not None:
            self.place.touch(
                head.tensors_name
            )  # or it may look left behind until its head is there
        try:
            self.place.write(head.name, head.text)
        except OSError:
            if fresh:
                with suppress(OSError):
                    self.place.remove(head.tensors_name)
            raise
        self._keep_within_budget(sealed.size)

    # A place shared with others: what is whole stays

    def offer(self, sealed: Sealed, *, replace: bool = False) -> bool:
        """Write a record unless its key has a whole one; whether it was written.

        Args:
            sealed: The record.
            replace: The one that is there is known to be damaged.

        Raises:
            OSError: The place cannot be reached, is full or not writable.
        """
        head = sealed.head
        if not replace and self._whole(head.key):
            return False
        if sealed.tensors is not None:
            self.place.write(head.tensors_name, sealed.tensors)
        if self.place.create(head.name, head.text):
            return True
        if not replace and self._whole(head.key):  # another was first
            return False
        self.place.write(head.name, head.text)
        return True

    # Room

    def size(self) -> StoreSize:
        """How much the place holds.

        Raises:
            OSError: The place cannot be reached.
        """
        entries = self._entries()[0]
        return StoreSize(
            sum(entry.has_head for entry in entries),
            sum(entry.size for entry in entries),
            self.budget,
        )

    def prune(self, budget: int) -> int:
        """Remove what nobody can use, then what was longest unused; the bytes freed.

        Args:
            budget: The bytes that may stay.

        Raises:
            OSError: The place cannot be reached or does not allow it.
        """
        freed = self._remove_left_behind()
        entries = sorted(self._entries()[0], key=lambda entry: entry.used)
        total = sum(entry.size for entry in entries)
        for entry in entries:
            if total <= budget:
                break
            self._remove(entry)
            total -= entry.size
            freed += entry.size
        self.used = total
        return freed

    def clear(self) -> int:
        """Remove every record; the bytes freed, which are fewer where the place does not allow it."""
        entries, unfinished = self._entries()
        for entry in entries:
            with suppress(OSError):
                self._remove(entry)
        for file in unfinished:
            with suppress(OSError):
                self.place.remove(file.name)
        self.used = self.size().bytes
        return sum(entry.size for entry in entries) - self.used

    def _head(self, key: str) -> Head | None:
        text = self.place.read(head_name(key))
        return None if text is None else parse_head(key, text)

    def _whole(self, key: str) -> bool:
        """Whether there is a record that is not seen to be damaged, be it of another version."""
        try:
            return self.head(key) is not None or self.place.exists(head_name(key))
        except DamagedError:
            return False

    def _discard(self, key: str) -> None:
        """Remove a damaged record; where that is not possible it stays a miss."""
        names = [head_name(key)]
        with suppress(OSError, DamagedError):
            head = self._head(key)
            if head is not None and head.tensors is not None:
                names.append(head.tensors_name)
        with suppress(OSError):
            for name in names:
                self.place.remove(name)

    def _touch(self, head: Head) -> None:
        with suppress(OSError):  # pruned by another process meanwhile, or a read-only place
            self.place.touch(head.name)

    def _remove(self, entry: _Entry) -> None:
        """Remove the files of a key, its head first, so that no reader finds it without tensors."""
        for file in sorted(entry.files, key=lambda file: file.name != head_name(entry.key)):
            self.place.remove(file.name)

    def _keep_within_budget(self, written: int) -> None:
        with self.lock:
            if self.used is None:
                self.used = self.size().bytes
            else:
                self.used += written
            if self.used > self.budget:
                self.prune(self.budget * 9 // 10)  # some room, so that not every write prunes

    def _entries(self) -> tuple[list[_Entry], list[Stored]]:
        """What the place holds for each key, and files that a killed writer left unfinished."""
        entries: dict[str, _Entry] = {}
        unfinished = []
        for file in self.place.list():
            key = key_of(file.name)
            if key is not None:
                entries.setdefault(key, _Entry(key)).files.append(file)
            elif _UNFINISHED.fullmatch(file.name):
                unfinished.append(file)
        return list(entries.values()), unfinished

    def _remove_left_behind(self) -> int:
        """Remove old files that no head names; the bytes freed."""
        entries, left = self._entries()
        for entry in entries:
            if not entry.has_head:
                left += entry.files
            elif len(entry.files) > 2:
                left += self._unnamed(entry)
        old = [file for file in left if file.used < time.time() - LEFT_BEHIND]
        for file in old:
            self.place.remove(file.name)
        return sum(file.size for file in old)

    def _unnamed(self, entry: _Entry) -> list[Stored]:
        try:
            head = self._head(entry.key)
        except DamagedError:
            return []
        named = {head_name(entry.key), "" if head is None else head.tensors_name}
        return [] if head is None else [file for file in entry.files if file.name not in named]
