"""Runs a shipped workflow and prints what happens, a JSON line for each event: for tests that kill it."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from engine.check import compile_graph
from engine.events import Event, NodeFailed, NodeFinished, NodeProgressed, NodeStarted
from engine.executor import execute
from server.cli.documents import find_workflow, read_workflow, with_axes, with_settings
from server.session import Session
from server.settings import Settings


def tell(event: Event) -> None:
    """Print an event."""
    if isinstance(event, NodeProgressed):
        told = {"node": event.node, "done": event.done, "total": event.total}
    elif isinstance(event, (NodeStarted, NodeFinished)):
        told = asdict(event)
    elif isinstance(event, NodeFailed):
        told = {"node": event.node, "reason": event.reason}
    else:
        told = {"warning": event.message}
    print(json.dumps({"event": type(event).__name__, **told}), flush=True)


def main(name: str, *arguments: str) -> None:
    """Run the workflow with `NAME=VALUE` set, and with `NAME:VALUES` as axes."""
    path = find_workflow(name)
    session = Session(Settings.read(), device="cpu", workflow_folder=Path(path).parent)
    workflow = read_workflow(path, session.settings.nodes)
    settings = [each for each in arguments if "=" in each]
    axes = [each.replace(":", "=", 1) for each in arguments if "=" not in each]
    workflow = with_axes(with_settings(workflow, settings, session.catalog), axes, session.catalog)
    program = compile_graph(workflow, session.catalog, session.runtime)
    execute(program, session.store, session.runtime, on_event=tell, journal=session.journal)


if __name__ == "__main__":
    main(*sys.argv[1:])
