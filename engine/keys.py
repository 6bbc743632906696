"""Derivation keys: what a result is made of, as one digest."""

import hashlib
import inspect
import json
import re
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .canonical import canonical, digest
from .files import write_whole
from .node import NodeType

_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(\.*)([\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n#]+)|import[ \t]+([^\n#]+))",
    re.MULTILINE,
)


@dataclass
class TypeDigests:
    """What a node type contributes to its results' keys: name, version, code and numeric profile.

    The code is the source of the type's module and of the modules of its own package that it
    imports, directly or through others. Read anew for each run, so an edited file is seen.
    """

    profile: Mapping[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    sources: dict[Path, tuple[str, tuple[Path, ...]]] = field(default_factory=dict)
    code_files: dict[str, dict[str, str]] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)

    def of(self, declared: NodeType) -> str:
        """The digest for one type, computed once for each object of this class."""
        found = self.types.get(declared.name)
        if found is None:
            parts = [declared.name, declared.version, self.code(declared), dict(self.profile)]
            found = self.types[declared.name] = digest(canonical(parts))
        return found

    def code(self, declared: NodeType) -> str:
        """The digest of the code behind a type."""
        found = self.codes.get(declared.name)
        if found is None:
            found = digest(canonical(sorted(self.files(declared).values())))
            self.codes[declared.name] = found
        return found

    def files(self, declared: NodeType) -> dict[str, str]:
        """The files with the code behind a type, and their digests."""
        found = self.code_files.get(declared.name)
        if found is None:
            found = self.code_files[declared.name] = self._files(declared)
        return found

    def _files(self, declared: NodeType) -> dict[str, str]:
        module = sys.modules.get(declared.function.__module__)
        file = getattr(module, "__file__", None)
        if file is None:  # declared in a notebook or a console: the function is all there is
            return {declared.function.__qualname__: digest(_source_of(declared))}
        found: dict[str, str] = {}
        seen: set[Path] = set()
        pending = [Path(file)]
        while pending:
            path = pending.pop()
            if path in seen:
                continue
            seen.add(path)
            source, imported = self.source(path, declared.function.__module__)
            root = _package_root(path, declared.function.__module__)
            found[path.relative_to(root.parent).as_posix() if root else path.name] = source
            pending.extend(imported)
        return found

    def source(self, path: Path, module: str) -> tuple[str, tuple[Path, ...]]:
        """The digest of one file, and the files of its package that it imports."""
        found = self.sources.get(path)
        if found is None:
            text = path.read_text(encoding="utf-8")
            root = _package_root(path, module)
            found = (digest(text), tuple(_imports(text, path, root)) if root else ())
            self.sources[path] = found
        return found


def _source_of(declared: NodeType) -> str:
    try:
        return inspect.getsource(declared.function)
    except OSError:
        return declared.function.__code__.co_code.hex() + repr(declared.function.__code__.co_consts)


def _package_root(path: Path, module: str) -> Path | None:
    """The folder of the top-level package that the file belongs to; none for a lone module."""
    package = module.partition(".")[0]
    return next((parent for parent in path.parents if parent.name == package), None)


def _imports(text: str, path: Path, root: Path) -> Iterator[Path]:
    for dots, module, names, plain in _IMPORT.findall(text):
        if plain:
            for name in plain.split(","):
                yield from _resolve(root, name.split()[0].split("."))
            continue
        base = _base(dots, module, path, root)
        if base is not None:
            yield from _module_files(base)
            for name in re.findall(r"(\w+)(?:\s+as\s+\w+)?", names):
                yield from _module_files(base / name)


def _base(dots: str, module: str, path: Path, root: Path) -> Path | None:
    parts = module.split(".") if module else []
    if dots:
        return path.parents[len(dots) - 1].joinpath(*parts)
    return root.joinpath(*parts[1:]) if parts[:1] == [root.name] else None


def _resolve(root: Path, parts: list[str]) -> Iterator[Path]:
    if parts[:1] == [root.name]:
        yield from _module_files(root.joinpath(*parts[1:]))


def _module_files(base: Path) -> Iterator[Path]:
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if candidate.is_file():
            yield candidate


@dataclass
class FileDigests:
    """SHA-256 of files, remembered by path, size, times and inode in the file `memory`.

    A file that was changed within the last two seconds is not remembered, for a further change
    could leave its times as they are.
    """

    memory: Path | None = None
    known: dict[str, list[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.memory is None:
            return
        try:
            loaded = json.loads(self.memory.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return
        if isinstance(loaded, dict):
            self.known |= {name: item for name, item in loaded.items() if isinstance(item, list)}

    def of(self, path: Path) -> str:
        """The SHA-256 of the file's bytes, in hex.

        Raises:
            OSError: The file cannot be read.
        """
        status = path.stat()
        name = str(path.resolve())
        stamp = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
        found = self.known.get(name)
        if found is not None and found[:-1] == stamp:
            return str(found[-1])
        with path.open("rb") as file:
            result = hashlib.file_digest(file, "sha256").hexdigest()
        if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > 2 * 10**9:
            self.known[name] = [*stamp, result]
            self._save()
        return result

    def _save(self) -> None:
        if self.memory is None:
            return
        with suppress(OSError):  # what is not remembered is read again, nothing worse
            self.memory.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self.memory, json.dumps(self.known).encode())
