"""Where each user's files lie, and names that must not lead out of there."""

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

    Raises:
        InputError: The name is empty, absolute, or leads out of the folder, be it by a link.
    """
    parts = PurePosixPath(name).parts
    plain = (
        name
        and "\0" not in name
        and "\\" not in name
        and not PurePosixPath(name).is_absolute()
        and not PureWindowsPath(name).drive
        and all(part != ".." for part in parts)
    )
    if plain:
        path = root / name
        if path.resolve().is_relative_to(root.resolve()) and path != root:
            return path
    raise InputError(
        f"{name[:200]!r} leads out of its folder: give a plain relative name", code="outside_roots"
    )
