"""Runs a shipped workflow and tells what happens; as a program, a JSON line for each event.

Tests that kill it start the program; the others run it in their own process.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.check import compile_graph
from engine.events import Event, NodeFailed, NodeFinished, NodeProgressed, NodeStarted
from engine.executor import execute
from server.cli.documents import find_workflow, read_workflow, with_axes, with_settings
from server.session import Session
from server.settings import Settings

Json = dict[str, Any]


def told(event: Event) -> Json:
    """An event as JSON."""
    found: Json
    if isinstance(event, NodeProgressed):
        found = {"node": event.node, "done": event.done, "total": event.total}
    elif isinstance(event, (NodeStarted, NodeFinished)):
        found = asdict(event)
    elif isinstance(event, NodeFailed):
        found = {"node": event.node, "reason": event.reason}
    else:
        found = {"warning": event.message}
    return {"event": type(event).__name__, **found}


def run(tell: Callable[[Json], None], name: str, *arguments: str) -> None:
    """Run the workflow with `NAME=VALUE` set, and with `NAME:VALUES` as axes."""
    path = find_workflow(name)
    session = Session(Settings.read(), device="cpu", workflow_folder=Path(path).parent)
    workflow = read_workflow(path, session.settings.nodes)
    settings = [each for each in arguments if "=" in each]
    axes = [each.replace(":", "=", 1) for each in arguments if "=" not in each]
    workflow = with_axes(with_settings(workflow, settings, session.catalog), axes, session.catalog)
    program = compile_graph(workflow, session.catalog, session.runtime)
    store, journal = session.store, session.journal
    execute(
        program, store, session.runtime, on_event=lambda event: tell(told(event)), journal=journal
    )


if __name__ == "__main__":
    run(lambda event: print(json.dumps(event), flush=True), *sys.argv[1:])
