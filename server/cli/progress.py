"""A run as people watch it: moving bars on a terminal, a line for each node elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.events import (
    Event,
    NodeFailed,
    NodeFinished,
    NodeProgressed,
    NodeStarted,
    Warned,
    Watcher,
)

from .console import say, terminal

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

SHOW_CURSOR = "\x1b[?25h"


@contextmanager
def watching() -> Iterator[Watcher]:
    """The watcher that suits standard error."""
    if not sys.stderr.isatty():
        yield Lines()
        return
    bars = Bars()
    try:
        yield bars
    finally:
        bars.close()


class Lines:
    """A line when a node starts to compute, when it goes on from where it was cut off, and for a warning."""

    def __init__(self) -> None:
        self.fresh: set[str] = set()

    def __call__(self, event: Event) -> None:
        """Write what happened."""
        if isinstance(event, NodeStarted):
            self.fresh.add(event.node)
            say(f"{event.node} ({event.type_name}) …", sys.stderr)
        elif isinstance(event, NodeProgressed) and event.node in self.fresh:
            self.fresh.remove(event.node)
            if event.done > 1:
                say(f"{event.node}: goes on from step {event.done} of {event.total}", sys.stderr)
        elif isinstance(event, Warned):
            say(_warning(event), sys.stderr)


class Bars:
    """A bar for each node that computes, taken away when it has; none if no node does."""

    def __init__(self) -> None:
        self.shown: Progress | None = None
        self.tasks: dict[str, TaskID] = {}
        self.lines = Lines()

    def __call__(self, event: Event) -> None:
        """Show what happened."""
        if isinstance(event, NodeStarted):
            self.shown = self.shown or _bars()
            name = f"{event.node} ({event.type_name})"
            self.tasks[event.node] = self.shown.add_task(name, total=None)
        elif self.shown is None:
            self.lines(event)
        elif isinstance(event, Warned):
            self.shown.console.print(_warning(event), markup=False, style="yellow")
        elif isinstance(event, NodeProgressed) and event.node in self.tasks:
            self.shown.update(self.tasks[event.node], completed=event.done, total=event.total)
        elif isinstance(event, (NodeFinished, NodeFailed)) and event.node in self.tasks:
            self.shown.remove_task(self.tasks.pop(event.node))

    def close(self) -> None:
        """Give the terminal back."""
        if self.shown is not None:
            self.shown.stop()


def _bars() -> "Progress":
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    bars = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=terminal(sys.stderr),
        transient=True,
    )
    bars.start()
    return bars


def _warning(event: Warned) -> str:
    return f"warning: {event.node}: {event.message}" if event.node else f"warning: {event.message}"
