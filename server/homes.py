"""Where each user's files lie, and names that must not lead out of there."""

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from engine.errors import InputError

LOCAL = "local"
"""The one user of a server that has no users; its files lie where the command line's do."""


@dataclass(frozen=True)
class Home:
    """The folders of one user."""

    folder: Path

    @property
    def inputs(self) -> Path:
        """Pictures that the user sent."""
        return self.folder / "inputs"

    @property
    def outputs(self) -> Path:
        """What the user's jobs delivered."""
        return self.folder / "outputs"

    @property
    def previews(self) -> Path:
        """Pictures that were only to be looked at."""
        return self.folder / "previews"

    @property
    def workflows(self) -> Path:
        """The user's saved workflows."""
        return self.folder / "workflows"


def home(data: Path, user: str) -> Home:
    """The folders of a user; the name was checked when the user was made."""
    return Home(data if user == LOCAL else data / "users" / user)


def within(root: Path, name: str) -> Path:
    """The path of `name` under `root`, whether or not something is there.

    What it leads to may be another thing by the time it is opened, if somebody else may put links
    into the folder: see `open_within`.

    Raises:
        InputError: The name is empty, absolute, none that a file can have, or leads out of the
            folder, be it by a link.
    """
    if _is_plain(name):
        path = root / name
        top = root.resolve()
        try:
            real = path.resolve()
        except (OSError, RuntimeError, ValueError):  # such as links in a circle
            real = top
        if real.is_relative_to(top) and real != top:
            return path
    raise _outside(name)


def open_within(root: Path, name: str, flags: int = os.O_RDONLY, mode: int = 0o600) -> int:
    """A file descriptor of the plain file `name` under `root`; no link below `root` is followed.

    Each folder is opened from the one above, so that nobody can put a link in the way between a
    check and the opening. Where the system cannot do that, it is checked and then opened.

    Raises:
        InputError: As `within`; also where there is a link, or what is no plain file.
        OSError: It is not there, or may not be opened.
    """
    path = within(root, name)
    if os.open not in os.supports_dir_fd:
        return _plain_file(os.open(path, flags | _BINARY, mode), name)
    *folders, last = PurePosixPath(name).parts
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in folders:
            step = _step(part, os.O_RDONLY | os.O_DIRECTORY, 0, folder, name)
            os.close(folder)
            folder = step
        return _plain_file(_step(last, flags | os.O_NONBLOCK, mode, folder, name), name)
    finally:
        os.close(folder)


_BINARY = getattr(os, "O_BINARY", 0)
_LONGEST, _LONGEST_PART = 1000, 255
_LINKED = {errno.ELOOP, errno.ENOTDIR}


def _is_plain(name: str) -> bool:
    """Whether a name is relative, and one that a file can have on every system."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:  # half a character: no name, and an error wherever it is used
        return False
    if not 0 < size <= _LONGEST or any(ord(letter) < 32 or ord(letter) == 127 for letter in name):
        return False
    if "\\" in name or name.startswith("/") or (":" in name and _has_drive(name)):
        return False
    parts = PurePosixPath(name).parts
    return all(part != ".." and len(part.encode()) <= _LONGEST_PART for part in parts)


def _has_drive(name: str) -> bool:
    """Whether Windows would take the name for one on a drive, or for a file's second stream."""
    return os.name == "nt" or bool(PureWindowsPath(name).drive)


def _step(part: str, flags: int, mode: int, folder: int, name: str) -> int:
    try:
        return os.open(part, flags | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=folder)
    except OSError as error:
        if error.errno in _LINKED:
            raise _outside(name) from error
        raise


def _plain_file(file: int, name: str) -> int:
    if stat.S_ISREG(os.fstat(file).st_mode):
        return file
    os.close(file)
    raise _outside(name)


def _outside(name: str) -> InputError:
    return InputError(
        f"{name[:200]!r} leads out of its folder: give a plain relative name", code="outside_roots"
    )
