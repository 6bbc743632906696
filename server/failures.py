"""What went wrong, as problems with an address and a remedy."""

import errno
import platform
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.errors import (
    Cancelled,
    DeclarationError,
    EngineError,
    GraphError,
    InputError,
    MigrationError,
    NodeError,
    Problem,
    StoreError,
    os_reason,
)

_CODES: dict[type[EngineError], str] = {
    Cancelled: "cancelled",
    DeclarationError: "declaration",
    MigrationError: "version",
    StoreError: "store",
}
_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_FREE = "free some space, or let go of stored results: darkroom cache prune"
_SMALLER = "make the picture or the batch smaller, or use --device cpu"


def problems_of(error: Exception) -> Sequence[Problem]:
    """The problems behind an exception. One that nobody foresaw is written to a log."""
    if isinstance(error, GraphError):
        return error.problems
    if isinstance(error, NodeError):
        return [_node_problem(error)]
    if isinstance(error, InputError):
        return [Problem(error.code, str(error), input=error.input, hint=error.hint)]
    if isinstance(error, EngineError):
        code = next((_CODES[kind] for kind in type(error).__mro__ if kind in _CODES), "engine")
        return [Problem(code, str(error), hint=_os_hint(error.__cause__))]
    if isinstance(error, OSError) and error.errno is not None:
        return [Problem(_os_code(error), os_reason(error), hint=_os_hint(error))]
    if isinstance(error, MemoryError):
        return [Problem("out_of_memory", "there is not enough memory", hint=_SMALLER)]
    return [Problem("internal", f"this is a fault in Darkroom: {error!r}", hint=_logged(error))]


def read_problem(told: Mapping[str, Any]) -> Problem:
    """A problem that another process told as JSON; what a newer one tells besides is passed over."""
    return Problem(**{n: v for n, v in told.items() if n in Problem.__dataclass_fields__})


def problem_json(problem: Problem) -> dict[str, Any]:
    """A problem as the JSON that programs read."""
    return asdict(problem)


def problem_document(error: Exception) -> dict[str, Any]:
    """Why something failed: its kind, for the `type` of RFC 9457, and the problems."""
    problems = problems_of(error)
    return {
        "kind": _kind_of(error, problems[0].code),
        "detail": "\n".join(problem.message for problem in problems),
        "code": problems[0].code,
        "problems": [problem_json(problem) for problem in problems],
    }


def _kind_of(error: Exception, code: str) -> str:
    if isinstance(error, GraphError):
        return "invalid_workflow"
    if isinstance(error, NodeError):
        return "node_failed"
    if isinstance(error, InputError):
        return "invalid_value"
    if code == "disk_full":
        return code
    return "unavailable" if isinstance(error, (StoreError, OSError, MemoryError)) else "internal"


def nodes_json(nodes: Any) -> dict[str, Any]:
    """What became of each node, as the JSON that programs read."""
    return {
        name: {"state": run.state, "seconds": round(run.seconds, 6), "bytes": run.bytes}
        for name, run in nodes.items()
    }


def failed_nodes(error: Exception) -> dict[str, Any]:
    """What became of the nodes of a run up to its failure."""
    return nodes_json(getattr(getattr(error, "result", None), "nodes", {}))


def _node_problem(error: NodeError) -> Problem:
    cause = error.__cause__
    if isinstance(cause, InputError):
        return Problem(cause.code, str(error), error.place, cause.input, cause.hint)
    if isinstance(cause, OSError):
        return Problem(_os_code(cause), str(error), error.place, hint=_os_hint(cause))
    if error.reason.startswith("out of memory"):
        return Problem("out_of_memory", str(error), error.place, hint=_SMALLER)
    if isinstance(cause, ValueError) or cause is None:
        return Problem("node_failed", str(error), error.place)
    return Problem("node_failed", str(error), error.place, hint=_logged(error))


def _os_code(error: OSError) -> str:
    if error.errno in _FULL:
        return "disk_full"
    return "permission" if error.errno in _FORBIDDEN else "file"


def _os_hint(error: BaseException | None) -> str | None:
    if not isinstance(error, OSError):
        return None
    if error.errno in _FULL:
        return _FREE
    if error.errno in _FORBIDDEN:
        return "allow writing there, or name another data folder by DARKROOM_DATA"
    return None


def _logged(error: Exception) -> str:
    """Write the traceback where it can be found, and say where."""
    from server.settings import Settings

    text = (
        f"{' '.join(sys.argv)}\n{platform.platform()} Python {platform.python_version()}\n\n"
        f"{''.join(traceback.format_exception(error))}"
    )
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{time.time_ns() % 10**6:06}.log"
    for fallback in (False, True):
        try:
            path = (Path(tempfile.gettempdir()) if fallback else Settings.read().logs) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", errors="replace")
        except (OSError, ValueError):
            continue
        return f"the log says more: {path}"
    return "the log could not be written"
