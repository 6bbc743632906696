"""Where things lie on this machine, which is kept out of what users of a server are told."""

import re
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
_ENDS = r"(?=[/\\]|[^\w.-]|[.,:;]?$|[.,:;]\s)"
"""What may follow a folder's path: `/data` is no part of `/database`."""


class Places:
    """Puts short names such as `models/checkpoints` in the place of whole paths.

    Args:
        data: The data folder: what lies in it is named from there.
        named: Further folders, each with the name that stands for it.
    """

    def __init__(self, data: Path, named: Mapping[str, str] | None = None) -> None:
        names = {**_own(), str(data): "", **(named or {})}
        resolved = {str(Path(path).absolute()): name for path, name in names.items() if path}
        resolved |= {str(Path(path).resolve()): name for path, name in names.items() if path}
        self.names = {path: name for path, name in resolved.items() if len(Path(path).parts) > 1}
        longest = sorted(self.names, key=len, reverse=True)
        self.found = re.compile(rf"(?<![\w.-])({_any(longest)}){_ENDS}([/\\]?)")

    def hidden(self, told: T) -> T:
        """The same, with short names in all of its texts; keys of objects stay."""
        value: Any = told
        if isinstance(value, str):
            value = self.found.sub(self._short, value)
        elif isinstance(value, Mapping):
            value = {name: self.hidden(each) for name, each in value.items()}
        elif isinstance(value, list):
            value = [self.hidden(each) for each in value]
        shown: T = value
        return shown

    def _short(self, match: re.Match[str]) -> str:
        name, more = self.names[match[1]], match[2]
        if name:
            return name + more
        return "" if more else "the data folder"


def _own() -> dict[str, str]:
    """The folders of the program, of Python, and of who runs the server."""
    own = {str(Path(__file__).parents[1]): ""}
    if sys.prefix != sys.base_prefix:
        own[sys.prefix] = ""
    with suppress(RuntimeError):  # it is nobody's home
        own[str(Path.home())] = "~"
    return own


def _any(paths: Iterable[str]) -> str:
    return "|".join(re.escape(path) for path in paths)
