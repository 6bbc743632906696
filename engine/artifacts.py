"""Files that a run delivers: written whole, numbered, never over another."""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import InputError
from .files import written_beside

_UNSAFE = re.compile(r'[<>:"|?*\x00-\x1f]')


@dataclass(frozen=True)
class Artifact:
    """A delivered file: where it is, what it holds, and the digest of its bytes."""

    path: str
    media_type: str
    digest: str
    size: int

    def intact(self, folder: Path) -> bool:
        """Whether the file is still in `folder` with the size it was written with."""
        try:
            path = Path(self.path).resolve()
            return path.is_relative_to(folder.resolve()) and path.stat().st_size == self.size
        except OSError:
            return False


@dataclass(frozen=True)
class Delivery:
    """What an output node is lent: the folder for its files, and what to embed in them.

    `provenance` is the JSON of a `provenance.Provenance`; empty in a script.
    """

    folder: Path = field(default_factory=Path)
    previews: Path = field(default_factory=Path)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def provenance_of(self, index: int, count: int) -> Mapping[str, Any]:
        """What to embed in one of several files that are delivered at once; `index` from 0."""
        if not self.provenance:
            return self.provenance
        return {**self.provenance, "index": index, "count": count}

    def write(self, name: str, suffix: str, data: bytes, media_type: str) -> Artifact:
        """Write `data` as the next free `name_00001.suffix` in the folder."""
        return _write(self.folder, name, suffix, data, media_type)

    def write_preview(self, name: str, suffix: str, data: bytes, media_type: str) -> Artifact:
        """Write `data` as the next free file in the folder of previews."""
        return _write(self.previews, name, suffix, data, media_type)


here = Delivery()
"""The `Delivery` of a node called from a script: the current folder."""


def _write(folder: Path, name: str, suffix: str, data: bytes, media_type: str) -> Artifact:
    """Write a temporary file beside the target, then link it to the first free number.

    Raises:
        InputError: The name would leave the folder.
        OSError: The disk is full or the folder is not writable; nothing is left behind.
    """
    target = (folder / _UNSAFE.sub("_", name)).resolve()
    if not target.is_relative_to(folder.resolve()) or target == folder.resolve():
        raise InputError(
            f"name {name!r} leads out of the output folder {folder}: give a plain name",
            code="outside_roots",
            input="name",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with written_beside(target.parent, data, durable=True) as temporary:
        final = _claim(temporary, target, suffix)
    return Artifact(str(final), media_type, hashlib.sha256(data).hexdigest(), len(data))


def _claim(temporary: Path, target: Path, suffix: str) -> Path:
    """Give the temporary file the first free number; a hard link fails where a file exists."""
    taken = re.compile(rf"{re.escape(target.name)}_(\d+)\.")
    numbers = [int(m[1]) for m in (taken.match(path.name) for path in target.parent.iterdir()) if m]
    number = max(numbers, default=0)
    while True:
        number += 1
        final = target.with_name(f"{target.name}_{number:05d}.{suffix}")
        try:
            os.link(temporary, final)
        except FileExistsError:
            continue
        return final
