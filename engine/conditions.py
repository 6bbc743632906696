"""What a result depends on beside its graph: files, node types, libraries, machine; and what changed."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from inspect import signature
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict

from .canonical import canonical, digest
from .constructs import PLAIN
from .errors import InputError
from .keyring import Keyring
from .keys import TypeDigests
from .node import NodeType
from .program import LATE, Call, Program
from .runtime import Runtime
from .types import plain

What = Literal["file", "node", "code", "profile", "machine"]
Inputs = Mapping[str, Mapping[str, Any]]
"""The values of nodes' inputs that JSON can carry, by node."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


class _Json(BaseModel):
    model_config = ConfigDict(frozen=True)


class FileRead(_Json):
    """A file that nodes read: its name and kind, its content, and the inputs that name it.

    Without a kind it is whatever a node's fingerprint speaks of, by the digest of what it says.
    """

    name: str
    kind: str = ""
    sha256: str
    size: int | None = None
    read_by: tuple[tuple[str, str], ...]


class TypeRead(_Json):
    """A node type as it was: its version, and the digest of the code behind it."""

    version: int
    code: str


class Conditions(_Json):
    """What results depend on beside their graph, as far as it is known."""

    files: tuple[FileRead, ...] = ()
    types: Mapping[str, TypeRead] = {}
    profile: Mapping[str, str] = {}
    machine: Mapping[str, str] = {}


@dataclass(frozen=True)
class Drift:
    """One condition that is not as it was. `before` and `now` are empty for what is not there."""

    what: What
    name: str
    before: str
    now: str
    node: str | None = None
    input: str | None = None

    @property
    def text(self) -> str:
        """The change in words."""
        if self.what == "file":
            return f"{self.name} has other content: it was {_short(self.before)}, it is {_short(self.now)}"
        if self.what == "code":
            return f"the code of {self.name} is another: it was {_short(self.before)}, it is {_short(self.now)}"
        return f"{self.name} was {self.before or 'not there'}, it is {self.now or 'not there'}"


def conditions(
    calls: Iterable[Call], inputs: Inputs, digests: TypeDigests, runtime: Runtime
) -> Conditions:
    """What the results of `calls` depend on; `inputs` are their values as they are known."""
    calls = list(calls)
    files: dict[tuple[str, str, str, int | None], list[tuple[str, str]]] = {}
    for call in calls:
        for name, kind, sha256, size, place in _files(call, inputs.get(call.id, {}), runtime):
            files.setdefault((name, kind, sha256, size), []).append(place)
    types = {call.type.name: call.type for call in calls if call.type.name not in PLAIN}
    return Conditions(
        files=tuple(
            FileRead(name=name, kind=kind, sha256=sha256, size=size, read_by=tuple(places))
            for (name, kind, sha256, size), places in files.items()
        ),
        types={
            name: TypeRead(version=types[name].version, code=digests.code(types[name]))
            for name in sorted(types)
        },
        profile=dict(runtime.profile),
        machine=dict(runtime.machine()),
    )


def known_keys(program: Program, digests: TypeDigests) -> dict[str, str]:
    """The keys of nodes, as far as they are known before a run."""
    return Keyring(program.calls.values(), digests).known


def drift(then: Conditions, now: Conditions, places: Mapping[str, str]) -> list[Drift]:
    """Everything that is not as it was.

    A file counts where it is named now as well; what one side does not know of a machine does not.

    Args:
        then: As it was.
        now: As it is.
        places: A node of each type, to be named beside the type.
    """
    return [
        *_drifted_files(then, now),
        *_drifted_types(then, now, places),
        *_drifted_rest(then, now),
    ]


def _drifted_files(then: Conditions, now: Conditions) -> Iterator[Drift]:
    present = {
        key: (file.sha256, place)
        for file in now.files
        for key, place in zip(_file_keys(file), file.read_by, strict=True)
    }
    for file in then.files:
        for key in _file_keys(file):
            sha256, (node, name) = present.get(key, (file.sha256, ("", "")))
            if sha256 != file.sha256:
                yield Drift("file", file.name, file.sha256, sha256, node, name or None)
                break


def _file_keys(file: FileRead) -> list[tuple[str, ...]]:
    """What finds a file again, for each input that names it."""
    return [(file.name, file.kind or f"{node}.{name}") for node, name in file.read_by]


def _drifted_types(then: Conditions, now: Conditions, places: Mapping[str, str]) -> Iterator[Drift]:
    for name, before in then.types.items():
        after = now.types.get(name)
        node = places.get(name)
        if after is None:
            yield Drift("node", name, f"version {before.version}", "")
        elif after.version != before.version:
            versions = f"version {before.version}", f"version {after.version}"
            yield Drift("node", name, *versions, node)
        elif after.code != before.code:
            yield Drift("code", name, before.code, after.code, node)


def _drifted_rest(then: Conditions, now: Conditions) -> Iterator[Drift]:
    for name in dict.fromkeys([*then.profile, *now.profile]):
        before, after = then.profile.get(name, ""), now.profile.get(name, "")
        if before != after:
            yield Drift("profile", name, before, after)
    for name in then.machine.keys() & now.machine.keys():
        if then.machine[name] != now.machine[name]:
            yield Drift("machine", name, then.machine[name], now.machine[name])


def file_kind(hint: Any) -> str | None:
    """The kind of files that an input of this type names, itself or in a list; none if it does not."""
    if get_origin(hint) is Annotated:
        for part in get_args(hint)[1:]:
            extra = getattr(part, "json_schema_extra", None)
            if isinstance(extra, dict) and "files" in extra:
                return str(extra["files"])
    inner = plain(hint)
    return file_kind(get_args(inner)[0]) if get_origin(inner) is list else None


@cache
def _kinds(declared: NodeType) -> dict[str, str]:
    found = {item.name: file_kind(item.hint) for item in declared.inputs.values()}
    return {name: kind for name, kind in found.items() if kind is not None}


_Found = tuple[str, str, str, int | None, tuple[str, str]]
"""Name, kind, SHA-256 and bytes of a file, and the node and input that name it."""


def _files(call: Call, inputs: Mapping[str, Any], runtime: Runtime) -> Iterator[_Found]:
    mark = None if call.fingerprint in (None, LATE) else call.fingerprint
    named = [
        (name, kind, each)
        for name, kind in _kinds(call.type).items()
        for each in _listed(inputs.get(name))
    ]
    for name, kind, file in named:
        try:
            sha256, size = runtime.files.describe(kind, file)
        except (InputError, OSError):  # optional, or gone meanwhile
            sha256, size = "", 0
        used = (_sha256_in(mark) if len(named) == 1 else None) or sha256
        if used:
            yield file, kind, used, size if used == sha256 else None, (call.id, name)
    if mark is not None and not named:
        used = _sha256_in(mark) or digest(canonical(mark))
        name = _spoken_of(call.type)
        value = inputs.get(name)
        yield value if isinstance(value, str) else "", "", used, None, (call.id, name)


def _listed(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, str) and each]


def _sha256_in(mark: object) -> str | None:
    return mark if isinstance(mark, str) and _SHA256.fullmatch(mark) else None


@cache
def _spoken_of(declared: NodeType) -> str:
    """The input that a fingerprint asks for first; empty if it asks for none."""
    function = declared.fingerprint
    names = [] if function is None else list(signature(function).parameters)
    return next((name for name in names if name in declared.inputs), "")


def _short(sha256: str) -> str:
    return sha256[:12] if sha256 else "not there"
