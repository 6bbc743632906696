"""Saved workflows: files in a user's folder, with every version that was ever saved."""

import hashlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path

from engine.files import write_whole
from engine.workflow import Workflow
from server.homes import home
from server.settings import FAMILIES, shipped_workflows

from .problems import ApiError

_WORD = r"[^\W_][\w .()+,&'-]{0,99}(?<![ .])"
_NAME = re.compile(rf"(?:{FAMILIES}/)?{_WORD}")
_VERSION = re.compile(r"(\d{6,})-([0-9a-f]{16})\.json")
MAX_NAME = 240
"""Bytes of a name in UTF-8: what file systems take, less the ending."""


@dataclass(frozen=True)
class Saved:
    """A workflow as it was saved."""

    name: str
    text: bytes
    path: Path
    shipped: bool = False

    @property
    def revision(self) -> str:
        """Tells this text from others."""
        return revision_of(self.text)

    @property
    def workflow(self) -> Workflow:
        """The document.

        Raises:
            GraphError: It is none; somebody edited the file.
        """
        workflow = Workflow.parse(self.text.decode("utf-8", errors="replace"), self.name)
        return replace(workflow, folder=self.path.parent)


@dataclass(frozen=True)
class Version:
    """One text that a workflow had."""

    number: int
    revision: str
    saved: float
    size: int
    path: Path


@dataclass(frozen=True)
class Shelf:
    """One user's workflows. `shipped` are those that come with Darkroom: there to read.

    Versions lie in a folder beside, and nothing there is ever changed or removed.
    """

    folder: Path
    shipped: Path
    turn: threading.Lock = field(default_factory=threading.Lock)

    @property
    def versions(self) -> Path:
        """The folder of what was saved before."""
        return self.folder.with_name(f"{self.folder.name}-versions")

    def all(self) -> Iterator[Saved]:
        """All workflows by name; the user's own hides the shipped one of its name."""
        own = _by_name(self.folder)
        known = _by_name(self.shipped) | own
        for name, path in sorted(known.items(), key=lambda item: item[0].lower()):
            if path.match("*.lock.json") or not _NAME.fullmatch(name):
                continue
            if not _is_within(path, self.folder if name in own else self.shipped):
                continue
            try:
                yield Saved(name, path.read_bytes(), path, shipped=name not in own)
            except OSError:
                continue

    def read(self, name: str) -> Saved:
        """One workflow.

        Raises:
            ApiError: There is none of this name.
        """
        check_name(name)
        for folder in (self.folder, self.shipped):
            path = folder / f"{name}.json"
            if path.is_file() and _is_within(path, folder):
                return Saved(name, path.read_bytes(), path, shipped=folder == self.shipped)
        near = get_close_matches(name, self._names(), 1)
        raise ApiError(
            "not_found",
            f"there is no workflow {name!r}; GET /api/v1/workflows lists all",
            hint=near[0] if near else None,
        )

    def _names(self) -> list[str]:
        return [*_by_name(self.folder), *_by_name(self.shipped)]

    def save(self, name: str, workflow: Workflow, expected: "Expected") -> tuple[Saved, bool]:
        """Put a workflow in the place of the user's own; says whether it is new.

        Raises:
            ApiError: The name cannot be one, or the present revision is not the expected one.
        """
        check_name(name)
        text = workflow.text().encode()
        path = self.folder / f"{name}.json"
        with self.turn:
            present = self._own(name)
            expected.check(name, present)
            if present is not None:
                self._remember(name, present)
            self._remember(name, text)
            path.parent.mkdir(parents=True, exist_ok=True)
            if present != text:
                write_whole(path, text, durable=True)
        return Saved(name, text, path), present is None

    def delete(self, name: str, expected: "Expected") -> None:
        """Take the user's own workflow away; its versions stay.

        Raises:
            ApiError: There is none, or its revision is not the expected one.
        """
        check_name(name)
        with self.turn:
            present = self._own(name)
            if present is None:
                saved = self.read(name)
                raise ApiError("conflict", f"{saved.name!r} comes with Darkroom: it stays")
            expected.check(name, present)
            self._remember(name, present)
            (self.folder / f"{name}.json").unlink()

    def history(self, name: str) -> list[Version]:
        """The versions of the user's own workflow, also of a deleted one, the latest first.

        Raises:
            ApiError: There never was one of this name.
        """
        check_name(name)
        found = []
        for path in (self.versions / name).glob("*.json"):
            match = _VERSION.fullmatch(path.name)
            if match is not None and _is_within(path, self.versions):
                status = path.stat()
                number = int(match[1])
                found.append(Version(number, match[2], status.st_mtime, status.st_size, path))
        if not found:
            self.read(name)
        return sorted(found, key=lambda version: -version.number)

    def version(self, name: str, number: int) -> Saved:
        """One version.

        Raises:
            ApiError: There is none of this number.
        """
        for version in self.history(name):
            if version.number == number:
                return Saved(name, version.path.read_bytes(), version.path)
        raise ApiError("not_found", f"{name!r} has no version {number}")

    def _own(self, name: str) -> bytes | None:
        path = self.folder / f"{name}.json"
        return path.read_bytes() if path.is_file() and _is_within(path, self.folder) else None

    def _remember(self, name: str, text: bytes) -> None:
        """Keep a text, unless it is the latest that is kept."""
        folder = self.versions / name
        folder.mkdir(parents=True, exist_ok=True)
        known = sorted(p.name for p in folder.glob("*.json") if _VERSION.fullmatch(p.name))
        revision = revision_of(text)
        last = _VERSION.fullmatch(known[-1]) if known else None
        if last is not None and last[2] == revision:
            return
        number = 1 if last is None else int(last[1]) + 1
        write_whole(folder / f"{number:06}-{revision}.json", text, durable=True)


class Shelves:
    """The shelf of each user, opened once so that its saves take turns."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.opened: dict[str, Shelf] = {}

    def of(self, user: str) -> Shelf:
        """A user's."""
        if user not in self.opened:
            folder = home(self.data, user).workflows
            self.opened[user] = Shelf(folder, shipped_workflows())
        return self.opened[user]


@dataclass(frozen=True)
class Expected:
    """Which revision a request means to change, by its headers."""

    match: tuple[str, ...] = ()
    """`If-Match`; `*` is any."""
    new: bool = False
    """`If-None-Match: *`: only if there is none."""

    def check(self, name: str, present: bytes | None) -> None:
        """See that the present text is the one.

        Raises:
            ApiError: It is another one, or the request does not say.
        """
        revision = None if present is None else revision_of(present)
        headers = {} if revision is None else {"ETag": f'"{revision}"'}
        if self.new and revision is not None:
            raise ApiError("precondition_failed", f"{name!r} is there already", headers=headers)
        if self.match:
            if revision is None or not {"*", revision} & set(self.match):
                now = "is not there" if revision is None else f"is at revision {revision}"
                raise ApiError(
                    "precondition_failed",
                    f"{name!r} {now}: somebody changed it since you read it",
                    hint="read it again, merge, and save with the new revision",
                    headers=headers,
                )
        elif revision is not None and not self.new:
            raise ApiError(
                "precondition_required",
                f"{name!r} is there: send If-Match with the revision that you read, or *",
                headers=headers,
            )


def check_name(name: str) -> None:
    """See that a name can be a workflow's.

    Raises:
        ApiError: It has characters that names of files should not have, or is too long.
    """
    if not _NAME.fullmatch(name) or len(name.encode()) > MAX_NAME or name.endswith(".lock"):
        raise ApiError(
            "invalid_value",
            f"{name[:100]!r} cannot be the name of a workflow: give letters, digits, spaces, - _ . ,"
            " beginning with a letter or digit, at most 100 of them",
        )


def _by_name(folder: Path) -> dict[str, Path]:
    """The workflows in a folder, with those of the models' families."""
    found = [*folder.glob("*.json"), *folder.glob(f"{FAMILIES}/*.json")]
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in sorted(found)}


def _is_within(path: Path, folder: Path) -> bool:
    """Whether a file lies in a folder, and is no link that leads out of there."""
    return path.resolve().is_relative_to(folder.resolve())


def revision_of(text: bytes) -> str:
    """The revision of a text."""
    return hashlib.sha256(text).hexdigest()[:16]
