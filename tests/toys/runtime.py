"""What the toys are lent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.artifacts import Delivery
from engine.codecs import Codecs
from engine.errors import InputError
from engine.node import Service
from engine.runtime import Runtime


@dataclass(frozen=True)
class Shelf(Service):
    data: Path

    def survey(self) -> list[dict[str, Any]]:
        files = sorted((self.data / "models").glob("*"))
        return [
            {"name": file.name, "path": str(file), "bytes": file.stat().st_size, "fault": None}
            for file in files
        ]


def open_runtime(
    data: Path, *, device: str | None = None, output: Path | None = None, near: Iterable[Path] = ()
) -> Runtime:
    if device == "mps":
        raise InputError("there is no mps device here: use cpu", code="no_device")
    services: Mapping[type[Service], Service] = {Shelf: Shelf(data)}
    return Runtime(
        services=services,
        codecs=Codecs(frozenset({"engine", "tests"})),
        delivery=Delivery(output or data / "outputs", data / "previews"),
    )
