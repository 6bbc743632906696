"""Where each user's files lie, and names that must not lead out of there."""

import os
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

    Nobody who is served can put a link into a folder. Whoever can, beside the server, may make the
    path lead elsewhere before it is opened.

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


_LONGEST, _LONGEST_PART = 1000, 255


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


def _outside(name: str) -> InputError:
    return InputError(
        f"{name[:200]!r} leads out of its folder: give a plain relative name", code="outside_roots"
    )
