"""Lock files: writing one, and holding a workflow to it."""

from pathlib import Path
from typing import TYPE_CHECKING

from engine.check import compile_graph
from engine.errors import GraphError, InputError, Problem
from engine.files import write_whole
from engine.workflow import Workflow
from server.session import Session

from .answer import Answer
from .console import say

if TYPE_CHECKING:
    from engine.lock import Lock

MAX_BYTES = 64 * 2**20


def lock_path(workflow: Path) -> Path:
    """Where the lock of a workflow lies: beside it."""
    return workflow.with_suffix(".lock.json")


def lock(path: Path, workflow: Workflow, session: Session, output: Path | None) -> Answer:
    """Write down what a workflow depends on.

    Raises:
        GraphError: The workflow has problems.
        OSError: The file cannot be written.
    """
    from engine.lock import locked

    program = compile_graph(workflow, session.catalog, session.runtime)
    made = locked(workflow, program, session.runtime)
    target = output or lock_path(path)
    write_whole(target, made.text().encode(), durable=True)
    found = made.conditions

    def show() -> None:
        say(f"locked: {target}")
        for file in found.files:
            say(f"  file {file.name}: sha256 {file.sha256}")
        say(f"  {len(found.types)} node types, {len(found.profile)} libraries and settings")

    return Answer({"lock": str(target.absolute())} | made.model_dump(mode="json"), show)


def hold(
    path: Path, document: Workflow, workflow: Workflow, session: Session, lock_file: Path | None
) -> None:
    """See that nothing has changed since a workflow was locked.

    Args:
        path: The workflow's file.
        document: The workflow as it stands there.
        workflow: The workflow to run, perhaps with other values.
        session: An opened Darkroom.
        lock_file: The lock, if it is not beside the workflow.

    Raises:
        GraphError: With each thing that has changed, or what is wrong with the lock file.
    """
    from engine.lock import lock_problems, locked

    source = lock_file or lock_path(path)
    remedy = f"darkroom lock {path}" + (f" --output {lock_file}" if lock_file else "")
    then = _read(source, remedy)
    program = compile_graph(workflow, session.catalog, session.runtime)
    now = locked(document, program, session.runtime)
    problems = lock_problems(then, now, program, changed=workflow != document, remedy=remedy)
    if problems:
        raise GraphError(problems)


def _read(source: Path, remedy: str) -> "Lock":
    from engine.lock import parse

    try:
        if source.stat().st_size > MAX_BYTES:
            raise InputError(f"{source} is larger than {MAX_BYTES} bytes: it is no lock file")
        return parse(source.read_text(encoding="utf-8"), str(source))
    except FileNotFoundError:
        text = f"there is no lock file {source}"
        raise GraphError([Problem("no_lock", text, hint=f"make one: {remedy}")]) from None
    except UnicodeDecodeError:
        text = f"the lock file {source} is damaged: it is no text"
        raise GraphError(
            [Problem("damaged_lock", text, hint=f"restore it, or lock again: {remedy}")]
        ) from None
