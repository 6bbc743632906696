"""The node types as a worker told of them; the server itself imports none."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from engine.catalog import Catalog
from engine.described import described
from engine.errors import EngineError
from engine.files import write_whole
from engine.links import Link
from server.shapes import Shapes

Json = dict[str, Any]


@dataclass(frozen=True)
class Catalogue:
    """Descriptions of node types, with the digest of the code that they describe."""

    digest: str
    descriptions: tuple[Json, ...]

    @classmethod
    def remembered(cls, path: Path) -> Self | None:
        """What was told last time; None if nothing was, or it cannot be read."""
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError, EngineError):
            known = json.loads(path.read_bytes())
            told = cls(str(known["digest"]), tuple(known["types"]))
            if len(told.types) + len(told.file_inputs):  # which another version may not read
                return told
        return None

    def remember(self, path: Path) -> None:
        """Keep it for the next start; a disk that takes nothing is no reason to stop."""
        text = json.dumps({"digest": self.digest, "types": self.descriptions})
        with suppress(OSError):
            write_whole(path, text.encode())

    @cached_property
    def types(self) -> Catalog:
        """The node types, good for checking a graph and not for running one."""
        return described(self.descriptions)

    @cached_property
    def shapes(self) -> Shapes:
        """The graphs that passed the check against these types."""
        return Shapes(self.types)

    @cached_property
    def by_name(self) -> Mapping[str, Json]:
        """The descriptions by type."""
        return {str(each["type"]): each for each in self.descriptions}

    @cached_property
    def file_inputs(self) -> Mapping[str, tuple[str, ...]]:
        """For each type that reads files: the inputs that name them."""
        found = {
            name: tuple(
                key for key, schema in told["inputs"]["properties"].items() if "files" in schema
            )
            for name, told in self.by_name.items()
        }
        return {name: inputs for name, inputs in found.items() if inputs}

    def files_named(self, type_name: str, inputs: Mapping[str, Any]) -> list[str]:
        """The files that a node's literal inputs name."""
        values = (inputs.get(name) for name in self.file_inputs.get(type_name, ()))
        return [value for value in values if isinstance(value, str) and not isinstance(value, Link)]
