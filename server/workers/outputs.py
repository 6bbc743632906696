"""What a run gave, as JSON: files by their place in the owner's folders, and values."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.artifacts import Artifact, Delivery
from engine.executor import Result
from engine.grid import Grid
from engine.program import Program
from server.plain import finite, is_json

Json = dict[str, Any]
MOST = 2**20
"""Bytes of all values of a run as JSON: they are kept with the job, and told to all who watch."""


@dataclass(frozen=True)
class Outputs:
    """Turns outputs into JSON; paths are told relative to the folders of a delivery."""

    delivery: Delivery

    def named(self, result: Result) -> Json:
        """Each output that is made of files or that JSON can carry, in the form that `Done` tells."""
        told = {name: self.one(value) for name, value in result.outputs.items()}
        return bounded({name: value for name, value in told.items() if value is not None})

    def delivered(self, program: Program, result: Result) -> Json:
        """What each node that delivers files gave, by its place in the document."""
        found: Json = {}
        for name, value in result.outputs.items():
            link = program.outputs.get(name)
            node = name if link is None else link.node
            call = program.calls.get(node)
            if call is not None and not call.type.delivers:
                continue
            told = self.one(value)
            if told is not None and ("files" in told or "cells" in told):
                found.setdefault(program.places.get(node, node), told)
        return bounded(found)

    def one(self, value: Any) -> Json | None:
        """One output; none if it is neither made of files nor plain."""
        if isinstance(value, Grid):
            cells = [(labels, self.one(cell)) for labels, cell in value.labelled()]
            if any(cell is None or "cells" in cell for _, cell in cells):
                return None
            return {"cells": [{"labels": finite(labels), **(cell or {})} for labels, cell in cells]}
        files = value if isinstance(value, (list, tuple)) and value else [value]
        if all(isinstance(file, Artifact) for file in files):
            return {"files": [self.file(file) for file in files]}
        return {"value": finite(value)} if is_json(value) else None

    def file(self, artifact: Artifact) -> Json:
        """A delivered file."""
        told: Json = {
            "path": artifact.path,
            "media_type": artifact.media_type,
            "digest": artifact.digest,
            "size": artifact.size,
        }
        path = Path(artifact.path)
        folder, previews = self.delivery.folder.resolve(), self.delivery.previews.resolve()
        if path.is_relative_to(previews) and not previews.is_relative_to(folder):
            return told | {"path": path.relative_to(previews).as_posix(), "preview": True}
        if path.is_relative_to(folder):
            return told | {"path": path.relative_to(folder).as_posix()}
        return told


def bounded(told: Json, most: int = MOST) -> Json:
    """The outputs; in the place of values that are too large stands a problem that says so."""
    left = most

    def part(name: str, one: Json) -> Json:
        nonlocal left
        if "cells" in one:
            return {**one, "cells": [part(name, cell) for cell in one["cells"]]}
        if "value" not in one:
            return one
        size = len(json.dumps(one["value"]))
        if size <= left:
            left -= size
            return one
        problem = {
            "code": "too_large",
            "message": f"output {name!r} is not kept: its value takes {size:,} bytes, and all"
            f" values of a job may take {most:,}",
            "hint": "save it to a file, by a node that delivers one",
        }
        return {"problem": problem} | {key: one[key] for key in one if key != "value"}

    return {name: part(name, one) for name, one in told.items()}


def files_in(*told: Mapping[str, Any]) -> Iterator[Json]:
    """Every file in outputs as JSON; the same one may come again."""
    for outputs in told:
        for output in outputs.values():
            for cell in output.get("cells", [output]):
                yield from cell.get("files", [])
