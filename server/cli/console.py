"""What people read: problems and tables, with colour on a terminal and plain elsewhere."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from engine.errors import Problem

if TYPE_CHECKING:
    from rich.console import Console


def say(text: str, stream: TextIO | None = None) -> None:
    """Write a line as it is; nothing in it is markup, and nothing is wrapped."""
    print(text, file=stream or sys.stdout)


def say_problems(problems: Sequence[Problem], title: str) -> None:
    """Show every problem with its place and what to do, on standard error."""
    if not sys.stderr.isatty():
        for problem in problems:
            say(f"{title}: {_address(problem)}{problem.message}", sys.stderr)
            if problem.hint:
                say(f"  hint: {problem.hint}", sys.stderr)
        return
    from rich.panel import Panel
    from rich.text import Text

    lines = Text()
    for problem in problems:
        lines.append(_address(problem), style="bold")
        lines.append(f"{problem.message}\n")
        if problem.hint:
            lines.append(f"  → {problem.hint}\n", style="cyan")
    lines.rstrip()
    is_warning = title == "warning"
    many = "warnings" if is_warning else "problems"
    heading = title if len(problems) == 1 else f"{len(problems)} {many}"
    colour = "yellow" if is_warning else "red"
    terminal(sys.stderr).print(Panel(lines, title=heading, border_style=colour, title_align="left"))


def say_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Show rows below their headings, on standard output."""
    if not sys.stdout.isatty():
        widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
        for row in (headings, *rows):
            line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            say(line.rstrip())
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    terminal(sys.stdout).print(table)


def terminal(stream: TextIO) -> "Console":
    """Rich's console over a stream."""
    from rich.console import Console

    return Console(file=stream, highlight=False)


def seconds(duration: float) -> str:
    """A duration as people read it."""
    if duration < 60:
        return f"{duration:.2f} s"
    minutes, rest = divmod(round(duration), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def size(count: int) -> str:
    """A number of bytes as people read it."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def _address(problem: Problem) -> str:
    place = ".".join(part for part in (problem.node, problem.input) if part)
    return f"{place}: " if place else ""
