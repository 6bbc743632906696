"""What the exit status says."""

from collections.abc import Sequence

from engine.errors import Problem

FAILED, INTERNAL, STOPPED = 1, 70, 130


def status_of(problems: Sequence[Problem]) -> int:
    """The exit status for what went wrong."""
    return INTERNAL if any(problem.code == "internal" for problem in problems) else FAILED
