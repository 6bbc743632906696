"""Places: where whole files lie by name, in a folder or anywhere else."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .files import write_whole, written_beside


@dataclass(frozen=True, slots=True)
class Stored:
    """A file of a place: its name, its bytes, and when it was last used, as far as the place knows."""

    name: str
    size: int
    used: float


class Place(Protocol):
    """Keeps files by names of two parts, `ab/rest`. Readers find whole files only.

    Every method raises OSError if the place cannot be reached or does not allow it.
    """

    @property
    def title(self) -> str:
        """What people know the place by."""
        ...

    def read(self, name: str) -> bytes | None:
        """What a file holds; none if it is not there."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Put a file there, in the place of one of that name."""
        ...

    def create(self, name: str, data: bytes) -> bool:
        """Put a file there unless there is one of that name; whether it was put."""
        ...

    def exists(self, name: str) -> bool:
        """Whether there is a file of that name."""
        ...

    def remove(self, name: str) -> None:
        """Take a file away, if it is there."""
        ...

    def list(self) -> Iterator[Stored]:
        """Every file, also unfinished ones that a writer left behind."""
        ...

    def touch(self, name: str) -> None:
        """Note that a file was used, where the place can."""
        ...


class Folder:
    """A folder as a place.

    Args:
        path: The folder.
        made: Made where it is not there. Otherwise its absence is an error, such as a network
            folder that is not mounted.
    """

    def __init__(self, path: Path, *, made: bool = True) -> None:
        self.path = path
        self.made = made

    @property
    def title(self) -> str:
        """The folder's path."""
        return str(self.path)

    def read(self, name: str) -> bytes | None:
        """What a file holds; none if it is not there."""
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            self._there()
            return None

    def write(self, name: str, data: bytes) -> None:
        """Put a file there, in the place of one of that name."""
        write_whole(self._target(name), data)

    def create(self, name: str, data: bytes) -> bool:
        """Put a file there unless there is one of that name; whether it was put."""
        target = self._target(name)
        with written_beside(target.parent, data, durable=False) as temporary:
            try:
                os.link(temporary, target)
            except FileExistsError:
                return False
            except OSError:  # a file system without hard links: the last of two writers wins there
                if target.exists():
                    return False
                temporary.replace(target)
        return True

    def exists(self, name: str) -> bool:
        """Whether there is a file of that name."""
        return (self.path / name).is_file()

    def remove(self, name: str) -> None:
        """Take a file away, if it is there; its folder stays, for another may be writing there."""
        (self.path / name).unlink(missing_ok=True)

    def list(self) -> Iterator[Stored]:
        """Every file, also unfinished ones that a writer left behind."""
        self._there()
        for path in self.path.glob("??/*"):
            try:
                status = path.stat()
            except FileNotFoundError:  # removed by another meanwhile
                continue
            name = f"{path.parent.name}/{path.name}"
            yield Stored(name, status.st_size, status.st_mtime)

    def touch(self, name: str) -> None:
        """Set the time of a file to now."""
        os.utime(self.path / name)

    def _there(self) -> None:
        if not self.made:
            self.path.stat()

    def _target(self, name: str) -> Path:
        """Where a file goes. Its folder allows whom the place's own allows, whatever the umask."""
        self._there()
        target = self.path / name
        if not target.parent.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True)
            with suppress(OSError):  # another user made it meanwhile
                target.parent.chmod(stat.S_IMODE(self.path.stat().st_mode))
        return target
