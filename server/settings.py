"""Where things are kept, from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from engine.errors import InputError

if TYPE_CHECKING:
    from engine.place import Place

GIB = 2**30
_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}


@dataclass(frozen=True)
class Settings:
    """The data folder with what lies in it, the stores, and the node package's name."""

    data: Path
    nodes: str = "nodes"
    disk_bytes: int = 20 * GIB
    shared_store: str = ""

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """The settings in the variables `DARKROOM_…` that docs/cli.md lists.

        Raises:
            InputError: A size is not one.
        """
        size = environment.get("DARKROOM_STORE_SIZE")
        return cls(
            data=_data_folder(environment.get("DARKROOM_DATA", "")),
            nodes=environment.get("DARKROOM_NODES") or cls.nodes,
            disk_bytes=read_bytes(size) if size else cls.disk_bytes,
            shared_store=environment.get("DARKROOM_SHARED_STORE", ""),
        )

    @property
    def store(self) -> Path:
        """Results of earlier runs."""
        return self.data / "store"

    @property
    def logs(self) -> Path:
        """What went wrong inside Darkroom."""
        return self.data / "logs"


def shipped_workflows() -> Path:
    """The folder of the workflows that come with Darkroom."""
    return Path(__file__).resolve().parent.parent / "workflows"


def open_place(named: str) -> "Place":
    """The shared store's place: a folder that is there, or an object store by its URL.

    Raises:
        InputError: The URL is of a kind that is not known, or obstore is not installed.
    """
    from engine.place import Folder

    from .bucket import SCHEMES, Bucket

    url = urlsplit(named)
    if "://" not in named:
        return Folder(Path(named).expanduser().absolute(), made=False)
    if url.scheme == "file":
        return Folder(Path(url2pathname(url.path)), made=False)
    if url.scheme in SCHEMES:
        return Bucket(named)
    known = ", ".join(f"{scheme}://" for scheme in SCHEMES)
    raise InputError(
        f"the shared store {named} cannot be opened: give a folder, or a URL with {known}",
        code="bad_store",
    )


def read_bytes(text: str) -> int:
    """A size such as `500MB`, `20 GB` or a number of bytes.

    Raises:
        InputError: The text is no size.
    """
    number = text.strip().lower().rstrip("bkmgt ")
    unit = text.strip().lower()[len(number) :].strip()
    try:
        size = float(number) * _UNITS[unit]
        if 0 <= size < 2**63:
            return int(size)
    except (KeyError, ValueError):
        pass
    raise InputError(f"{text!r} is no size: give one such as 500MB or 20GB", code="bad_size")


def _data_folder(named: str) -> Path:
    if named:
        return Path(named).expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("darkroom", appauthor=False)
