"""What is known of a run's nodes: what came by their links, what they took, and what is behind them."""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .canonical import canonical
from .errors import StoreError
from .program import Call
from .runtime import Runtime
from .store import Record
from .trace import NOTHING, Entry, Trace, joined

_WORTH_TELLING = 0.001
"""Seconds from which on a node's time is told."""
_LONGEST = 100
"""Items of a list or dict that came by a link and is told."""
_LARGEST = 65_536
"""Characters of what a volatile node gave."""


class History:
    """Collects, node by node, what delivered files tell of a run and of the runs before it.

    Args:
        made: The node that was run, or found, for another one: equal nodes share one.
        keys: The nodes' keys, as far as they are known by now.
        runtime: What this machine lends.
    """

    def __init__(
        self, made: Callable[[str], str], keys: Mapping[str, str], runtime: Runtime
    ) -> None:
        self.made, self.keys, self.runtime = made, keys, runtime
        self.linked: dict[str, dict[str, Any]] = {}
        self.peaks: dict[str, int] = {}
        self.gave: dict[str, Any] = {}
        self.own: dict[str, Entry] = {}
        self.traces: dict[str, Trace] = {}

    def came(self, node: str, name: str, value: Any) -> None:
        """Note what came by a link, if JSON can carry it."""
        if _is_plain(value):
            self.linked.setdefault(node, {})[name] = value

    def happened(self, call: Call, outputs: Mapping[str, Any]) -> None:
        """Note what a volatile node gave, so that it can be given again."""
        if not call.type.volatile:
            return
        try:
            tree, buffers = self.runtime.codecs.encode(dict(outputs))
            if not buffers and len(canonical(tree)) <= _LARGEST:
                self.gave[call.id] = tree
        except (StoreError, ValueError):  # it is not told, and the reader learns that it is not
            return

    def ran(self, call: Call, seconds: float) -> Trace:
        """Note that a node ran; what its record shall hold of what is behind it."""
        entry: dict[str, Any] = {}
        if call.id in self.linked:
            entry["inputs"] = self.linked[call.id]
        if call.id in self.peaks:
            entry["peak"] = self.peaks[call.id]
        if entry or seconds >= _WORTH_TELLING:
            entry["seconds"] = round(seconds, 6)
        self.own[call.id] = entry
        key = self.keys.get(call.id)
        trace = joined({key: entry} if key is not None and entry else {}, self._behind(call))
        self.traces[call.id] = trace
        return trace

    def found(self, call: Call, record: Record) -> None:
        """Note that a node's result was in the store, with what was noted when it was made."""
        self.traces[call.id] = record.trace

    def told(self, call: Call, behind: Iterable[Call]) -> dict[str, Any]:
        """What a file delivered by `call` tells: inputs and costs of the nodes behind it, all that chance gave."""
        entries = joined({}, self._behind(call)).entries(10**6)
        told: dict[str, Any] = {"inputs": {}, "costs": {}, "given": dict(self.gave)}
        for each in behind:
            made = self.made(each.id)
            entry = self.own.get(made)
            if entry is None:
                entry = entries.get(self.keys.get(each.id, ""), {})
            literals = {name: json.loads(text) for name, text in each.texts.items()}
            linked = self.linked.get(made) or entry.get("inputs", {})
            told["inputs"][each.id] = literals | linked
            cost = {name: entry[name] for name in ("seconds", "peak") if name in entry}
            if cost.get("seconds", 0) >= _WORTH_TELLING or "peak" in cost:
                told["costs"][each.id] = cost
        return told

    def _behind(self, call: Call) -> list[Trace]:
        links = (*call.eager, *call.lazy)
        return [self.traces.get(self.made(link.node), NOTHING) for link in links]


def _is_plain(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if value is None or isinstance(value, (bool, int, str)):
        return True
    if not isinstance(value, (list, dict)) or len(value) > _LONGEST:
        return False
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
