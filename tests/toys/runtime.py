"""What the toys are lent."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.artifacts import Delivery
from engine.codecs import Codecs
from engine.errors import InputError
from engine.node import Service
from engine.runtime import Files, NoFiles, Runtime, Services
from tests.toys.provenance import MAGIC, read_provenance

MOST_PIXELS = 10**6


@dataclass(frozen=True)
class Shelf(Service):
    """Pictures lie in `inputs`; what is warm is noted in `warm`, and shared by all shelves."""

    data: Path
    inputs: tuple[Path, ...] = ()
    warm: list[str] = field(default_factory=list, compare=False)

    def find(self, name: str) -> Path:
        for folder in self.inputs:
            if (folder / name).is_file():
                return folder / name
        raise InputError(f"there is no picture {name!r}", code="missing_file", input="name")

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
    shelf = Shelf(data, (data / "inputs", *near))

    def lend_from(folders: Sequence[Path]) -> tuple[Services, Files]:
        return {Shelf: Shelf(data, tuple(folders), shelf.warm)}, NoFiles()

    def free() -> int:
        let_go = len(shelf.warm)
        shelf.warm.clear()
        return let_go

    return Runtime(
        services={Shelf: shelf},
        codecs=Codecs(frozenset({"engine", "tests"})),
        delivery=Delivery(output or data / "outputs", data / "previews"),
        lend_from=lend_from,
        picture=picture,
        thumbnail=thumbnail,
        probe=probe,
        embedded=embedded,
        warm=lambda: tuple(shelf.warm),
        free=free,
        memory=lambda: {"free": 1, "total": 2},
    )


def picture(shown: Any) -> bytes:
    return f"preview {shown}".encode()


def thumbnail(path: Path, size: int) -> bytes:
    probe(path)
    return f"{size} of {path.name}".encode()


def probe(path: Path) -> dict[str, Any]:
    """A toy picture begins as a PNG; its JSON may tell a size."""
    if not path.read_bytes().startswith(MAGIC):
        raise InputError(f"{path.name} is no picture", code="damaged_file", input="image")
    try:
        told = read_provenance(path) or {}
    except ValueError as error:
        raise InputError(f"{path.name} is damaged", code="damaged_file", input="image") from error
    width, height = told.get("width", 4), told.get("height", 4)
    if width * height > MOST_PIXELS:
        raise InputError(f"{path.name} is too large", code="too_large", input="image")
    return {"width": width, "height": height, "format": "png"}


def embedded(path: Path) -> Mapping[str, Any]:
    carried = read_provenance(path) if path.read_bytes().startswith(MAGIC) else None
    return {} if carried is None else {"darkroom": carried}
