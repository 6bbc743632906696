"""The commands of `darkroom`, with their arguments; each leads to an `Answer`."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import __version__

if TYPE_CHECKING:
    from engine.workflow import Workflow

    from .answer import Answer
    from .session import Session

app = typer.Typer(
    name="darkroom",
    help="Run node graphs over the Stable Diffusion family.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
cache = typer.Typer(help="What earlier runs left behind, so that nothing is computed twice.")
app.add_typer(cache, name="cache")

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


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"darkroom {__version__}")
        raise typer.Exit


@app.callback()
def start(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Run node graphs over the Stable Diffusion family."""


@app.command()
def run(
    workflow: WorkflowName,
    values: Values = None,
    *,
    output: Output = None,
    device: Device = "auto",
    locked: Locked = False,
    lock_file: LockFile = None,
    as_json: AsJson = False,
) -> None:
    """Compute a workflow's outputs; what an earlier run computed is not computed again."""

    def work() -> "Answer":
        from .running import run

        opened = _opened(workflow, values, device, output, held=(locked, lock_file))
        return run(*opened)

    _finish(work, as_json)


@app.command()
def check(
    workflow: WorkflowName,
    values: Values = None,
    locked: Locked = False,
    lock_file: LockFile = None,
    as_json: AsJson = False,
) -> None:
    """List everything that is wrong with a workflow, without running it."""

    def work() -> "Answer":
        from .asking import check

        return check(lambda: _opened(workflow, values, held=(locked, lock_file)))

    _finish(work, as_json)


@app.command()
def plan(
    workflow: WorkflowName,
    values: Values = None,
    *,
    device: Device = "auto",
    locked: Locked = False,
    lock_file: LockFile = None,
    as_json: AsJson = False,
) -> None:
    """Say which nodes would run and why, and which results are stored."""

    def work() -> "Answer":
        from .asking import plan

        return plan(*_opened(workflow, values, device, held=(locked, lock_file)))

    _finish(work, as_json)


@app.command()
def nodes(
    name: Annotated[str | None, typer.Argument(help="One node type, to see it whole.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the node types, or show the inputs and outputs of one."""

    def work() -> "Answer":
        from .asking import describe_node, list_nodes

        session = _session()
        return describe_node(session, name) if name else list_nodes(session)

    _finish(work, as_json)


@app.command()
def models(as_json: AsJson = False) -> None:
    """List the model files that are found, and what they are."""

    def work() -> "Answer":
        from .asking import list_models

        return list_models(_session())

    _finish(work, as_json)


@cache.callback(invoke_without_command=True)
def cache_default(context: typer.Context, as_json: AsJson = False) -> None:
    """What earlier runs left behind, so that nothing is computed twice."""
    if context.invoked_subcommand is None:
        cache_size(as_json)


@cache.command("size")
def cache_size(as_json: AsJson = False) -> None:
    """Say how much is stored, and where."""
    _finish_cache(as_json, None)


@cache.command("prune")
def cache_prune(
    to: Annotated[
        str, typer.Option(metavar="SIZE", help="How much may stay, such as 5GB.")
    ] = "1GB",
    as_json: AsJson = False,
) -> None:
    """Let go of the results that were not used for longest."""
    _finish_cache(as_json, to)


@cache.command("clear")
def cache_clear(as_json: AsJson = False) -> None:
    """Let go of all stored results. Pictures in the output folder stay."""
    _finish_cache(as_json, "")


@app.command()
def reproduce(
    picture: Annotated[Path, typer.Argument(metavar="PICTURE", help="A file that Darkroom saved.")],
    output: Output = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Make a picture again without stored results, and say whether it is the same."""

    def work() -> "Answer":
        from .proving import reproduce

        folder = picture.parent.absolute()
        return reproduce(picture, lambda kind: _session(kind, None, folder), device, output)

    _finish(work, as_json)


@app.command()
def lock(
    workflow: WorkflowName,
    output: Annotated[
        Path | None, typer.Option(help="The lock file, instead of one beside the workflow.")
    ] = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Write down what a workflow depends on, for `--locked` to hold it to."""

    def work() -> "Answer":
        from .documents import find_workflow
        from .locking import lock

        return lock(find_workflow(workflow), *_opened(workflow, None, device), output)

    _finish(work, as_json)


def _session(
    device: str | None = None, output: Path | None = None, folder: Path | None = None
) -> "Session":
    from .session import Session
    from .settings import Settings

    return Session(Settings.read(), device=device, output=output, workflow_folder=folder)


def _opened(
    name: str,
    values: list[str] | None,
    device: str | None = None,
    output: Path | None = None,
    held: tuple[bool, Path | None] = (False, None),
) -> "tuple[Workflow, Session]":
    from .documents import find_workflow, read_workflow, with_settings

    path = find_workflow(name)
    session = _session(device, output and output.absolute(), path.parent.absolute())
    document = workflow = read_workflow(path, session.settings.nodes)
    if values:
        workflow = with_settings(workflow, values, session.catalog)
    locked, lock_file = held
    if locked or lock_file:
        from .locking import hold

        hold(path, document, workflow, session, lock_file)
    return workflow, session


def _finish_cache(as_json: bool, to: str | None) -> None:
    def work() -> "Answer":
        from .asking import stored

        return stored(_session(), to)

    _finish(work, as_json)


def _finish(command: "Callable[[], Answer]", as_json: bool) -> None:
    from .answer import give

    sys.stdout.flush()
    raise typer.Exit(give(command, as_json=as_json))
