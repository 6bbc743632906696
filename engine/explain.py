"""Why a node will run: what has changed since the nearest result that the journal knows."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from time import localtime, strftime
from typing import Any, Literal

from .journal import NEAR, Entry, Journal, MadeOf
from .keys import TypeDigests
from .program import Call

_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was when the nearest result was made."""

    kind: Literal["input", "link", "file", "version", "code", "profile"]
    name: str
    before: str = ""
    after: str = ""

    @property
    def text(self) -> str:
        """In words."""
        if self.kind in {"input", "version", "profile"}:
            return f"{self.name} was {self.before}, is {self.after}"
        if self.kind == "link":
            return f"{self.name} leads to another result"
        if self.kind == "file":
            return f"the file behind {self.name} has changed"
        return f"its code has changed: {self.name}"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a node has no stored result, as far as the journal knows."""

    nearest: Entry | None = None
    changes: tuple[Change, ...] = ()

    @property
    def text(self) -> str:
        """In words."""
        if self.nearest is None:
            return "nothing like it was made before"
        made = f"since it was made {when(self.nearest.created)} by run {self.nearest.run}"
        if self.changes:
            return f"{'; '.join(change.text for change in self.changes)} ({made})"
        return f"it was made {when(self.nearest.created)} by run {self.nearest.run}, and is not stored any more"


@dataclass
class Explainer:
    """Compares nodes with what the journal knows of them."""

    journal: Journal
    workflow: str
    digests: TypeDigests
    by_type: dict[str, list[Entry]] = field(default_factory=dict)

    def reason(self, call: Call, keys: Mapping[str, str], *, follows: bool = False) -> Reason:
        """Why the node has to run.

        Args:
            call: The node.
            keys: Its own, and those of the nodes behind its links.
            follows: Some of these will run, so that changed links tell nothing; then the latest
                result will do for the nearest.
        """
        now = made_of(call, keys, self.digests)
        best: Reason | None = None
        for entry in self._known(call, 1 if follows else NEAR):
            if entry.key == keys[call.id]:
                return Reason(entry)
            found = self._changes(call, entry, now)
            changes = tuple(each for each in found if each.kind != "link" or not follows)
            if best is None or len(changes) < len(best.changes):
                best = Reason(entry, changes)
        return best or Reason()

    def similar(self, call: Call) -> Entry | None:
        """The latest result that tells what the node may cost."""
        return next(iter(self._known(call, 1)), None)

    def _known(self, call: Call, most: int) -> list[Entry]:
        """The latest results of the node itself, else of its type."""
        found = self.journal.of_node(self.workflow, call.id, most)
        own = [entry for entry in found if entry.type_name == call.type.name]
        if own:
            return own
        if call.type.name not in self.by_type:
            self.by_type[call.type.name] = self.journal.of_type(call.type.name)
        return self.by_type[call.type.name]

    def _changes(self, call: Call, entry: Entry, now: MadeOf) -> Iterator[Change]:
        before = entry.made_of
        if before.version != now.version:
            yield Change("version", "its version", str(before.version), str(now.version))
        named = list(self._inputs(call, before, now))
        yield from named
        if before.mark != now.mark and not any(change.kind == "input" for change in named):
            yield Change("file", self._file_input(call))
        if before.code != now.code:
            yield Change(
                "code", ", ".join(self._files(call, before.code)) or "which file is not known"
            )
        yield from _profile(entry.profile, self.digests.profile)

    def _inputs(self, call: Call, before: MadeOf, now: MadeOf) -> Iterator[Change]:
        for name in sorted(before.inputs.keys() | now.inputs.keys()):
            old, new = before.inputs.get(name), now.inputs.get(name)
            if old == new:
                continue
            if name in call.linked and old is not None and "$link" in old:
                yield Change("link", name)
            else:
                yield Change("input", name, _shown(old), _shown(new))

    def _file_input(self, call: Call) -> str:
        texts = [name for name, text in call.texts.items() if text.startswith('"')]
        return texts[0] if texts else "its inputs"

    def _files(self, call: Call, before: str) -> list[str]:
        old, new = self.journal.files(before), self.digests.files(call.type)
        if not old:
            return []
        return [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]


def made_of(
    call: Call, keys: Mapping[str, str], digests: TypeDigests, mark: str | None = None
) -> MadeOf:
    """The parts of a node's key."""
    inputs = call.inputs_text(keys)
    return MadeOf(
        call.type.version, digests.code(call.type), inputs, call.mark if mark is None else mark
    )


def when(created: float) -> str:
    """A time as people read it."""
    return strftime("%Y-%m-%d %H:%M:%S", localtime(created))


def _profile(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Change]:
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            yield Change("profile", name, before.get(name, "not there"), now.get(name, "not there"))


def _shown(text: str | None) -> str:
    if text is None:
        return "not there"
    if "$link" in text:
        return "a link"
    value: Any = json.loads(text)
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
