"""The disk tier: one JSON record for each result, its tensors beside it as safetensors."""

import hashlib
import json
import os
import shutil
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .canonical import canonical, digest
from .codecs import Buffer, Buffers, Codecs
from .errors import StoreError
from .files import write_whole
from .trace import Entry

FORMAT = 2


@dataclass(frozen=True)
class Note:
    """What the store knows of a result without reading its tensors.

    `run` names the run that made it, `peak` is the memory in bytes that this took, if measured.
    `behind` are the entries of its trace.
    """

    type_name: str
    seconds: float
    created: float
    size: int
    run: str = ""
    peak: int | None = None
    behind: Mapping[str, Entry] = field(default_factory=dict)


class DamagedError(Exception):
    """A record's bytes are not what was written."""


class Disk:
    """A folder of records, each written whole and checked when it is read.

    A record is `ab/abcd….json` (values as JSON, notes, digests) and, where it holds tensors,
    `ab/abcd….safetensors`, written first. A record that fails its check is removed and is a miss.
    """

    def __init__(self, folder: Path, codecs: Codecs, budget: int) -> None:
        self.folder = folder
        self.codecs = codecs
        self.budget = budget
        self.used: int | None = None

    def note(self, key: str) -> tuple[Note, Any] | None:
        """The notes of a record and its tree of values, if the record is there and whole."""
        try:
            body = self._body(key)
            if body is None:
                return None
            note = Note(**body["note"])
            found = None if self._incomplete(key, body) else (note, body["values"])
        except (DamagedError, KeyError, TypeError):
            found = None
        if found is None:
            self._discard(key)
        return found

    def _incomplete(self, key: str, body: dict[str, Any]) -> bool:
        return body["tensors"] is not None and not self._tensors(key).is_file()

    def read(self, key: str) -> tuple[Note, dict[str, Any]] | None:
        """A record's outputs by name, or none if it is not there or damaged."""
        found = self.note(key)
        if found is None:
            return None
        note, tree = found
        try:
            outputs = self.codecs.decode(tree, self._buffers(key))
        except (DamagedError, StoreError, KeyError, TypeError, ValueError):
            self._discard(key)
            return None
        self._touch(key)
        return note, outputs

    def write(self, key: str, outputs: Mapping[str, Any], note: Note) -> None:
        """Write a record.

        Raises:
            OSError: The disk is full or not writable; nothing is left behind.
            StoreError: A value is of a class that no codec knows.
        """
        tree, buffers = self.codecs.encode(dict(outputs))
        path = self._record(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        tensors = None
        size = 0
        if buffers:
            data = _safetensors(buffers)
            tensors = hashlib.sha256(data).hexdigest()
            write_whole(self._tensors(key), data)
            size += len(data)
        body = {
            "record": FORMAT,
            "note": asdict(note),
            "values": tree,
            "tensors": tensors,
        }
        text = canonical(body)
        sealed = canonical({"body": body, "sha256": digest(text)}).encode()
        write_whole(path, sealed)
        if self.used is not None:
            self.used += size + len(sealed)
        self._keep_within_budget()

    def remove(self, key: str) -> None:
        """Forget a record."""
        for path in (self._record(key), self._tensors(key)):
            path.unlink(missing_ok=True)

    def records(self) -> list[tuple[float, int, str]]:
        """Every record as (last used, bytes, key), the longest unused first."""
        found: dict[str, tuple[float, int]] = {}
        for path in self._files():
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            used, size = found.get(path.stem, (0.0, 0))
            found[path.stem] = (max(used, status.st_mtime), size + status.st_size)
        return sorted((used, size, key) for key, (used, size) in found.items())

    def prune(self, budget: int) -> int:
        """Remove what was longest unused until at most `budget` bytes are left; the bytes freed."""
        records = self.records()
        total = sum(size for _, size, _ in records)
        freed = 0
        for _, size, key in records:
            if total - freed <= budget:
                break
            self.remove(key)
            freed += size
        self.used = total - freed
        return freed

    def clear(self) -> int:
        """Remove every record; the bytes freed, which are fewer where the disk is read-only."""
        before = sum(size for _, size, _ in self.records())
        shutil.rmtree(self.folder, ignore_errors=True)
        self.used = sum(size for _, size, _ in self.records())
        return before - self.used

    def _discard(self, key: str) -> None:
        """Remove a damaged record; where that is not possible it stays a miss."""
        with suppress(OSError):
            self.remove(key)

    def _keep_within_budget(self) -> None:
        if self.used is None:
            self.used = sum(size for _, size, _ in self.records())
        if self.used > self.budget:
            self.prune(self.budget * 9 // 10)  # some room, so that not every write prunes

    def _files(self) -> Iterator[Path]:
        for suffix in ("json", "safetensors"):
            yield from self.folder.glob(f"??/*.{suffix}")

    def _record(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"

    def _tensors(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.safetensors"

    def _touch(self, key: str) -> None:
        for path in (self._record(key), self._tensors(key)):
            try:
                os.utime(path)
            except OSError:  # pruned by another process meanwhile, or a read-only store
                return

    def _body(self, key: str) -> dict[str, Any] | None:
        try:
            text = self._record(key).read_bytes()
        except OSError:
            return None
        try:
            sealed = json.loads(text)
            body: dict[str, Any] = sealed["body"]
            whole = sealed["sha256"] == digest(canonical(body)) and body["record"] == FORMAT
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise DamagedError from error
        if not whole:
            raise DamagedError
        return body

    def _buffers(self, key: str) -> Buffers:
        body = self._body(key)
        if body is None or body["tensors"] is None:
            return {}
        try:
            data = self._tensors(key).read_bytes()
        except OSError as error:
            raise DamagedError from error
        if hashlib.sha256(data).hexdigest() != body["tensors"]:
            raise DamagedError
        return _parse_safetensors(data)


def _safetensors(buffers: Buffers) -> bytes:
    """The buffers in the safetensors format: length of the header, header as JSON, data."""
    header: dict[str, Any] = {}
    chunks: list[bytes | bytearray | memoryview] = []
    end = 0
    for name, buffer in buffers.items():
        start, end = end, end + len(buffer.data)
        header[name] = {
            "dtype": buffer.dtype,
            "shape": list(buffer.shape),
            "data_offsets": [start, end],
        }
        chunks.append(buffer.data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([struct.pack("<Q", len(text)), text, *chunks])


def _parse_safetensors(data: bytes) -> Buffers:
    """The buffers of a file whose digest was found right."""
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    body = memoryview(data)[8 + length :]
    return {
        name: Buffer(item["dtype"], tuple(item["shape"]), body[slice(*item["data_offsets"])])
        for name, item in header.items()
    }
