"""Running a workflow to its outputs, with Ctrl-C to stop it."""

import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any, Protocol, Self

from engine.artifacts import Artifact
from engine.check import compile_graph
from engine.executor import execute
from engine.grid import Grid
from engine.store import Store
from engine.workflow import Workflow
from server.failures import nodes_json
from server.jobs.model import NodeRecord
from server.plain import is_json
from server.session import Session

from .answer import Answer
from .console import say, say_problems, say_table, seconds
from .failures import STOPPED
from .progress import SHOW_CURSOR, watching

MOST_ROWS = 30
STOPPING = b"\nstopping at the next step, finished nodes are kept; Ctrl-C again to stop now\n"


class Interrupt:
    """The first Ctrl-C asks the run to stop at its next step, the second stops the program."""

    def __init__(self, text: bytes = STOPPING) -> None:
        self.cancel = threading.Event()
        self.text = text

    def __enter__(self) -> Self:
        self.before = signal.signal(signal.SIGINT, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self.before)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.cancel.is_set():
            os.write(2, SHOW_CURSOR.encode() if sys.stderr.isatty() else b"")
            os._exit(STOPPED)
        self.cancel.set()
        # os.write, for the signal may have come in the middle of another write
        os.write(2, self.text)


def run(workflow: Workflow, session: Session) -> Answer:
    """Compute the workflow's outputs.

    Raises:
        GraphError: The workflow has problems.
        NodeError: A node failed.
        Cancelled: Ctrl-C.
    """
    with Interrupt() as interrupt:
        program = compile_graph(workflow, session.catalog, session.runtime)
        if program.warnings:
            say_problems(program.warnings, "warning")
        store = session.store
        with watching() as watch:
            try:
                result = execute(
                    program,
                    store,
                    session.runtime,
                    on_event=watch,
                    cancel=interrupt.cancel,
                    journal=session.journal,
                )
            finally:
                share_rest(store, interrupt.cancel)
    paths, values, grids = _sorted_outputs(result.outputs)
    answer: dict[str, Any] = {"outputs": paths, "nodes": nodes_json(result.nodes)}
    records = {n: NodeRecord(n, r.type_name, r.state, r.seconds) for n, r in result.nodes.items()}
    return run_answer(answer, records, paths, values, grids)


class Recorded(Protocol):
    """What became of a node."""

    @property
    def type(self) -> str: ...

    @property
    def state(self) -> str: ...

    @property
    def seconds(self) -> float: ...


def run_answer(
    answer: dict[str, Any],
    records: Mapping[str, Recorded],
    paths: Mapping[str, list[str]],
    values: Mapping[str, Any],
    grids: Mapping[str, Any],
) -> Answer:
    """What a run gave, here or on a server: files by path, values, and cells of grids."""
    if values:
        answer["values"] = values
    if grids:
        answer["grids"] = grids
    return Answer(answer, lambda: _show(records, paths, values, grids))


def share_rest(store: Store, cancel: threading.Event) -> None:
    """Wait until the results are shared; Ctrl-C leaves the rest on this machine."""
    left = 0 if cancel.is_set() else store.flush(1.0)
    if left:
        say("sharing the last results …; Ctrl-C to leave them on this machine", sys.stderr)
    while left and not cancel.is_set():
        left = store.flush(0.2)


def _sorted_outputs(
    outputs: Mapping[str, Any],
) -> tuple[dict[str, list[str]], dict[str, Any], dict[str, Any]]:
    """Files by path, what else JSON can carry, and the cells of grids with their labels."""
    paths: dict[str, list[str]] = {}
    values: dict[str, Any] = {}
    grids: dict[str, Any] = {}
    for name, value in outputs.items():
        if isinstance(value, Grid):
            cells = [(labels, _paths(cell), cell) for labels, cell in value.labelled()]
            if all(files is not None for _, files, _ in cells):
                paths[name] = [file for _, files, _ in cells for file in files or ()]
                grids[name] = [{"labels": labels, "files": files} for labels, files, _ in cells]
            elif all(is_json(cell) for _, _, cell in cells):
                grids[name] = [{"labels": labels, "value": cell} for labels, _, cell in cells]
            continue
        files = _paths(value)
        if files is not None:
            paths[name] = files
        elif is_json(value):
            values[name] = value
    return paths, values, grids


def _paths(value: Any) -> list[str] | None:
    """The paths of delivered files; none if the value is something else."""
    files = value if isinstance(value, (list, tuple)) and value else [value]
    if all(isinstance(file, Artifact) for file in files):
        return [str(Path(file.path).absolute()) for file in files]
    return None


def _show(
    records: Mapping[str, Recorded],
    paths: Mapping[str, list[str]],
    values: Mapping[str, Any],
    grids: Mapping[str, Any],
) -> None:
    ran = [(name, run) for name, run in records.items() if run.state == "ran"]
    stored = [(name, run) for name, run in records.items() if run.state == "stored"]
    shown = [*ran, *stored]
    if len(shown) > MOST_ROWS:
        shown = sorted(ran, key=lambda item: -item[1].seconds)[:MOST_ROWS]
    if shown:
        rows = [(n, run.type, run.state, seconds(run.seconds)) for n, run in shown]
        say_table(("node", "type", "", "time"), rows)
    total = sum(run.seconds for _, run in ran)
    say(f"\n{len(ran)} computed in {seconds(total)}, {len(stored)} from the store\n")
    for name, cells in grids.items():
        _show_grid(name, cells)
    for name, files in paths.items():
        for file in files if name not in grids else ():
            say(f"{name}: {file}")
    for name, value in values.items():
        say(f"{name}: {json.dumps(value, ensure_ascii=False)}")


def _show_grid(name: str, cells: list[dict[str, Any]]) -> None:
    """A table with a row for each cell: its labels, and its file or value."""
    rows = []
    for cell in cells:
        labels = [_short(label) for label in cell["labels"].values()]
        found = cell["files"] if "files" in cell else [_short(cell["value"])]
        rows.append((*labels, ", ".join(found)))
    if cells:
        say_table((*cells[0]["labels"], name), rows)


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
