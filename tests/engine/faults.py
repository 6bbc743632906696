"""Nodes that fail, or go another way than they were asked."""

from typing import Literal

from engine.node import Progress, node, silent
from engine.notices import notice


@node("Fail", category="faults")
def fail(
    value: float = 0.0, *, how: Literal["value", "memory", "bug", "exit", "interrupt"] = "value"
) -> float:
    """Fail."""
    raise {
        "value": ValueError("it is torn: mend it"),
        "memory": MemoryError(),
        "bug": KeyError("x"),
        "exit": SystemExit(3),
        "interrupt": KeyboardInterrupt(),
    }[how]


@node("Leave", category="faults", lane="device")
def leave() -> float:
    """Try to end the program."""
    raise SystemExit(3)


@node("Detour", category="faults", volatile=True)
def detour(*, shows: bool = False, progress: Progress = silent) -> float:
    """Go another way than was asked, or find that only when the way is shown."""

    def go() -> None:
        notice("the bridge is closed: it goes round")

    if shows:
        progress(1, 1, go)
    else:
        go()
    return 0.0
