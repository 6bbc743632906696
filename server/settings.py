"""Where things are kept, from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.errors import InputError

GIB = 2**30
_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}


@dataclass(frozen=True)
class Settings:
    """The data folder with what lies in it, the store's budget, and the node package's name."""

    data: Path
    nodes: str = "nodes"
    disk_bytes: int = 20 * GIB

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """The settings in `DARKROOM_DATA`, `DARKROOM_STORE_SIZE` and `DARKROOM_NODES`.

        Raises:
            InputError: A size is not one.
        """
        size = environment.get("DARKROOM_STORE_SIZE")
        return cls(
            data=_data_folder(environment.get("DARKROOM_DATA", "")),
            nodes=environment.get("DARKROOM_NODES") or cls.nodes,
            disk_bytes=read_bytes(size) if size else cls.disk_bytes,
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
