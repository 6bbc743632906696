"""Builds the editor into the wheel, or into the source tree for an editable install."""

import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

WEB = Path(__file__).resolve().parent
BUILT = WEB.parent / "server" / "editor"
STAMP = BUILT / "built-from"
WITHOUT = "DARKROOM_NO_EDITOR"
_NO_SOURCES = frozenset(
    {"node_modules", "tests", "test-results", "playwright-report", "__pycache__"}
)


class EditorBuild(BuildHookInterface[Any]):
    """Runs before a wheel is put together."""

    def dependencies(self) -> list[str]:
        """Node, if the editor has to be built and the machine has none."""
        npm = _npm()
        return [] if is_skipped() or is_built() or npm.has_own_node() else [npm.NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the editor, unless what is there was built from these very sources."""
        if is_skipped() or is_built():
            return
        npm = _npm()
        try:
            npm.install()
            npm.npm(["run", "build"])
        except npm.NpmError as error:
            sys.exit(
                f"\nThe editor could not be built: {error}.\n"
                "It needs packages from registry.npmjs.org; behind a proxy that opens TLS, set\n"
                "NODE_EXTRA_CA_CERTS to its certificate. To install Darkroom without the editor,\n"
                f"set {WITHOUT}=1; the API and the command line do not need it.\n"
            )
        STAMP.write_text(sources_digest())


def is_skipped() -> bool:
    """Whether the editor is not wanted."""
    return os.environ.get(WITHOUT, "") not in {"", "0"}


def is_built() -> bool:
    """Whether the editor is there and was built from the present sources."""
    page = BUILT / "index.html"
    return page.is_file() and STAMP.is_file() and STAMP.read_text() == sources_digest()


def sources_digest() -> str:
    """Of everything that the built editor depends on."""
    digest = hashlib.sha256()
    for path in sorted(_sources(WEB)):
        digest.update(f"{path.relative_to(WEB).as_posix()}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _sources(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_dir():
            if path.name not in _NO_SOURCES:
                yield from _sources(path)
        elif ".test." not in path.name and path.suffix != ".md":
            yield path


def _npm() -> ModuleType:
    """The module beside this one, which a build does not find by its name."""
    spec = importlib.util.spec_from_file_location("editor_npm", WEB / "npm.py")
    if spec is None or spec.loader is None:
        raise ImportError("web/npm.py is missing")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
