"""Versions of a workflow: how two differ, what they become together, and their one form."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.diff import differences
from engine.errors import GraphError, Problem
from engine.files import written_beside
from engine.merge import conflict_problems, merge as merged_of
from engine.workflow import Workflow
from server.failures import problem_json, problems_of
from server.settings import Settings

from .answer import Answer
from .console import say, say_problems
from .documents import find_workflow, is_picture, read_workflow

DIFFERENT, TROUBLE = 1, 2
"""Exit statuses, as those of diff(1)."""


def diff(a: str, b: str) -> Answer:
    """The changes from one workflow to another. Those of the view alone do not make it another.

    Raises:
        GraphError: One of them is no workflow.
    """
    changes = differences(*(_named(name) for name in (a, b)))
    only_view = all(change.kind == "view_changed" for change in changes)

    def show() -> None:
        if only_view:
            say(
                "the workflows are equal but for the view" if changes else "the workflows are equal"
            )
        for change in changes:
            say(change.sentence)

    answer = {"equal": only_view, "changes": [change.to_json() for change in changes]}
    return Answer(answer, show, 0 if only_view else DIFFERENT)


def merge(base: str, ours: str, theirs: str, output: Path | None) -> Answer:
    """Merge, and write the result to `output` or else to the file of ours.

    Raises:
        GraphError: One of the three is no workflow, or ours is no workflow file; nothing is written.
        OSError: The result cannot be written; the file is as it was.
    """
    target = output or _writable(ours)
    merged = merged_of(_base(base), _named(ours), _named(theirs))
    _save(target, _bytes(merged.document, target))

    def show() -> None:
        for place, new in merged.renamed.items():
            say(f"note: both sides added {place}, differently; theirs is called {new}", sys.stderr)
        if merged.conflicts:
            say_problems(conflict_problems(merged.document), "conflict")

    answer: dict[str, Any] = {
        "path": str(target),
        "conflicts": [each.to_json() for each in merged.conflicts],
    }
    answer["renamed"] = {str(place): new for place, new in merged.renamed.items()}
    return Answer(answer, show, DIFFERENT if merged.conflicts else 0)


def fmt(files: Sequence[Path], *, check: bool) -> Answer:
    """Put each file into canonical form, or say which ones are not."""
    states: dict[str, str] = {}
    problems: list[Problem] = []
    for path in files:
        if path.match("*.lock.json"):  # written in its form, and no workflow
            states[str(path)] = "canonical"
            continue
        try:
            states[str(path)] = _formatted(path, write=not check)
        except (GraphError, OSError) as error:
            states[str(path)] = "failed"
            problems += problems_of(error)

    def show() -> None:
        for path, state in states.items():
            if state == "changed":
                say(f"would change {path}" if check else f"changed {path}")
        if problems:
            say_problems(problems, "error")

    answer = {"files": states, "problems": [problem_json(problem) for problem in problems]}
    changed = check and "changed" in states.values()
    return Answer(answer, show, TROUBLE if problems else DIFFERENT if changed else 0)


def _named(name: str) -> Workflow:
    return read_workflow(find_workflow(name), Settings.read().nodes)


def _base(name: str) -> Workflow:
    """What both sides came from: an empty file, which git gives where both added one, is nothing."""
    path = Path(name)
    return Workflow() if path.is_file() and not path.stat().st_size else _named(name)


def _writable(ours: str) -> Path:
    path = Path(ours)
    if path.is_file() and not is_picture(path):
        return path
    message = f"{ours} is no workflow file that the result could be written to"
    raise GraphError([Problem("missing_file", message, hint="name a file by --output")])


def _formatted(path: Path, *, write: bool) -> str:
    workflow = Workflow.read(path)
    text = _bytes(workflow, path)
    if path.read_bytes() == text:
        return "canonical"
    if write:
        _save(path, text)
    return "changed"


def _bytes(workflow: Workflow, path: Path) -> bytes:
    try:
        return workflow.text().encode()
    except UnicodeEncodeError as error:
        sign = ascii(error.object[error.start])
        message = f"{path}: the text holds half a character, {sign}: write the whole one"
        raise GraphError([Problem("document", message)]) from error


def _save(path: Path, text: bytes) -> None:
    """Write a file whole, where a link leads to, with the permissions that it has."""
    path = path.resolve()
    mode = path.stat().st_mode if path.exists() else None
    with written_beside(path.parent, text, durable=True) as temporary:
        if mode is not None:
            temporary.chmod(mode)
        temporary.replace(path)
