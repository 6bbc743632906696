"""What commands share: the arguments that several take, how they begin and how they end."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from engine.workflow import Workflow
    from server.session import Session

    from .answer import Answer

WorkflowName = Annotated[
    str,
    typer.Argument(
        metavar="WORKFLOW",
        help="A workflow file, a picture that Darkroom saved, or the name of a workflow that comes with Darkroom.",
    ),
]
Values = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Set an input of the workflow, or of a node as NODE.INPUT. Can be repeated.",
    ),
]
Axes = Annotated[
    list[str] | None,
    typer.Option(
        "--axis",
        metavar="NAME=VALUES",
        help="Sweep an input: NAME=1,3,5 or NAME=0..63 (0..9..3 by threes), or a JSON list. Can be repeated.",
    ),
]
Output = Annotated[
    Path | None, typer.Option(help="Folder for what the run delivers.", file_okay=False)
]
Locked = Annotated[
    bool,
    typer.Option("--locked", help="Refuse if anything has changed since `darkroom lock`."),
]
LockFile = Annotated[
    Path | None,
    typer.Option("--lock", metavar="FILE", help="The lock file, if it is not beside the workflow."),
]
ServerUrl = Annotated[
    str | None,
    typer.Option(
        "--server",
        metavar="URL",
        envvar="DARKROOM_SERVER",
        help="Let a server do it, such as http://127.0.0.1:8188. DARKROOM_TOKEN says who you are.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


def _device(name: str) -> str:
    if re.fullmatch(r"auto|cpu|mps|cuda(:\d{1,3})?", name) is None:
        raise typer.BadParameter("give auto, cpu, cuda, cuda:N or mps")
    return name


Device = Annotated[
    str,
    typer.Option(
        metavar="auto|cpu|cuda|cuda:N|mps", callback=_device, help="Where models compute."
    ),
]


def session(
    device: str | None = None, output: Path | None = None, folder: Path | None = None
) -> "Session":
    """A session by the settings that hold."""
    from server.session import Session
    from server.settings import Settings

    return Session(Settings.read(), device=device, output=output, workflow_folder=folder)


def opened(
    name: str,
    values: list[str] | None,
    axes: list[str] | None = None,
    *,
    device: str | None = None,
    output: Path | None = None,
    held: tuple[bool, Path | None] = (False, None),
) -> "tuple[Workflow, Session]":
    """The workflow that a command names, with its inputs set, and a session for it.

    `held` says whether a lock file must hold, and which one.
    """
    from .documents import find_workflow, read_workflow, with_axes, with_settings

    path = find_workflow(name)
    own = session(device, output and output.absolute(), path.parent.absolute())
    document = workflow = read_workflow(path, own.settings.nodes)
    if values:
        workflow = with_settings(workflow, values, own.catalog)
    if axes:
        workflow = with_axes(workflow, axes, own.catalog)
    locked, lock_file = held
    if locked or lock_file:
        from .locking import hold

        hold(path, document, workflow, own, lock_file)
    return workflow, own


def finish(command: "Callable[[], Answer]", as_json: bool, failed: int = 1) -> None:
    """Run a command's work, print its answer, and leave with its exit status."""
    from .answer import give

    sys.stdout.flush()
    raise typer.Exit(give(command, as_json=as_json, failed=failed))
