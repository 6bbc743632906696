"""Files that travel between the server's disk and a worker that does not share it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine.artifacts import Delivery
from engine.errors import InputError
from server.homes import within

from .messages import Delivered, Done, Json, Lent, Run

MOST_BYTES = 2**30
"""Of the files that one run may be lent."""
_NUMBERED = re.compile(r"(.+)_\d{5,}\.([^./]+)")


@dataclass
class _Trip:
    """What a run has delivered so far: the path that the worker gave, and the one here."""

    delivery: Delivery
    paths: dict[tuple[str, bool], str] = field(default_factory=dict)


class Ferry:
    """Lends runs their pictures, and puts what they deliver into their owners' folders."""

    def __init__(self) -> None:
        self.trips: dict[str, _Trip] = {}

    def lend(self, run: Run) -> Iterator[Lent]:
        """The files in the owner's folder that a workflow may read: every text in it that names one.

        Raises:
            InputError: Together they are larger than may travel.
        """
        self.trips[run.run] = _Trip(Delivery(Path(run.outputs), Path(run.previews)))
        left = MOST_BYTES
        for name in dict.fromkeys(_texts(run.document)):
            path = _file(Path(run.inputs), name)
            if path is None:
                continue
            left -= path.stat().st_size
            if left < 0:
                raise InputError(
                    f"the pictures of the run are larger than the {MOST_BYTES} bytes that can be sent"
                    " to another machine: make them smaller",
                    code="too_large",
                )
            yield Lent(run.run, name, path.read_bytes())

    def take(self, delivered: Delivered) -> None:
        """Write a file that a worker sent under the next free number.

        Raises:
            InputError: Its name leads out of the folder.
            OSError: The disk is full.
        """
        trip = self.trips.get(delivered.run)
        if trip is None:
            return
        match = _NUMBERED.fullmatch(delivered.path)
        name, _, suffix = delivered.path.rpartition(".")
        if match is not None:
            name, suffix = match.groups()
        write = trip.delivery.write_preview if delivered.preview else trip.delivery.write
        folder = trip.delivery.previews if delivered.preview else trip.delivery.folder
        artifact = write(name, suffix, delivered.blob, "")
        path = Path(artifact.path).relative_to(folder.resolve()).as_posix()
        trip.paths[delivered.path, delivered.preview] = path

    def arrive(self, done: Done) -> Done:
        """The end of a run, with the paths that its files have here."""
        trip = self.trips.pop(done.run, None)
        if trip is None:
            return done
        return replace(
            done,
            outputs=_renamed(done.outputs, trip.paths),
            delivered=_renamed(done.delivered, trip.paths),
        )


def _texts(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str(text):
                yield text
            case dict(items):
                waiting.extend(items.values())
            case list(items):
                waiting.extend(items)


def _file(folder: Path, name: str) -> Path | None:
    if not name or len(name) > 1000:
        return None
    try:
        path = within(folder, name)
        return path if path.is_file() else None
    except (InputError, OSError, ValueError):
        return None


def _renamed(outputs: Json, paths: dict[tuple[str, bool], str]) -> Json:
    def file(told: Json) -> Json:
        path = paths.get((told["path"], bool(told.get("preview"))), told["path"])
        return {**told, "path": path}

    def one(told: Json) -> Json:
        if "files" in told:
            return {**told, "files": [file(each) for each in told["files"]]}
        if "cells" in told:
            return {**told, "cells": [one(cell) for cell in told["cells"]]}
        return told

    return {name: one(told) for name, told in outputs.items()}
