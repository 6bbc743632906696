"""What is known of the nodes behind a result, kept with it so that a delivered file can tell."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Entry = Mapping[str, Any]
"""JSON on one node: `inputs` that came by links, `seconds` and `peak`; what is not known is left out."""
MOST = 1000
"""The most entries that are kept with a result: long loops must not write ever longer records."""


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Entries by key: a result's own, and the traces of what it is made of, shared among results."""

    own: Mapping[str, Entry] = field(default_factory=dict)
    behind: "tuple[Trace, ...]" = ()

    def entries(self, most: int = MOST) -> dict[str, Entry]:
        """All entries by key, the nearest first."""
        found: dict[str, Entry] = {}
        level = [self]
        seen = {id(self)}
        while level and len(found) < most:
            following = []
            for trace in level:
                found |= {key: entry for key, entry in trace.own.items() if key not in found}
                following += [each for each in trace.behind if id(each) not in seen]
                seen.update(map(id, trace.behind))
            level = following
        return dict(list(found.items())[:most])


NOTHING = Trace()


def joined(own: Mapping[str, Entry], behind: list[Trace]) -> Trace:
    """A trace before others, without links to empty ones."""
    traces = tuple({id(trace): trace for trace in behind if trace is not NOTHING}.values())
    if own:
        return Trace(own, traces)
    if len(traces) > 1:
        return Trace({}, traces)
    return traces[0] if traces else NOTHING
