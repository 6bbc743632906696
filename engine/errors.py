"""Every error that the engine raises on purpose; each message says what to do next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Problem:
    """One fault in a workflow, addressed so that the editor can show it in place.

    `code` is stable; `message` may improve. `hint` is the nearest fix, ready to be applied or read.
    """

    code: str
    message: str
    node: str | None = None
    input: str | None = None
    hint: str | None = None


class EngineError(Exception):
    """Base class, so that callers can catch the engine's errors and nothing else."""


class DeclarationError(EngineError):
    """A node function is declared wrongly. Raised at import time."""


class GraphError(EngineError):
    """The workflow cannot run. Holds every problem found, not just the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(problem.message for problem in problems))
        self.problems = tuple(problems)


class MigrationError(EngineError):
    """A node's inputs could not be brought to the installed version of its type."""


class StoreError(EngineError):
    """The store's folder cannot be used at all (a single damaged record is a miss, not this)."""


class RunError(EngineError):
    """A run ended before its targets were there."""

    result: Any = None
    """The executor's `Result` so far: what was finished is stored."""


class NodeError(RunError):
    """A node raised while it ran. The original exception is the `__cause__`.

    `place` is where it stands in the document, if that is not `node`: a lap or cell has its own id.
    """

    def __init__(self, node: str, type_name: str, reason: str, place: str | None = None) -> None:
        super().__init__(f'{type_name} "{node}": {reason}')
        self.node = node
        self.place = place or node
        self.type_name = type_name
        self.reason = reason


class Cancelled(RunError):  # noqa: N818 - not a fault
    """The run was cancelled by its owner."""


def os_reason(error: OSError) -> str:
    """What the system says, with the file it says it of."""
    if not error.strerror:
        return str(error)
    return f"{error.filename}: {error.strerror}" if error.filename else error.strerror


class InputError(ValueError):
    """An input's value cannot be used: raised by nodes and their fingerprints.

    Found before running it becomes a `Problem` on the input; found while running, a `NodeError`.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "bad_value",
        input: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.input = input
        self.hint = hint
