"""The commands of `darkroom`, with their arguments; each leads to an `Answer`."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server import __version__

if TYPE_CHECKING:
    from engine.workflow import Workflow
    from server.session import Session

    from .answer import Answer

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
    *,
    values: Values = None,
    axes: Axes = None,
    output: Output = None,
    device: Device = "auto",
    locked: Locked = False,
    lock_file: LockFile = None,
    as_json: AsJson = False,
) -> None:
    """Compute a workflow's outputs; what an earlier run computed is not computed again."""

    def work() -> "Answer":
        from .running import run

        held = (locked, lock_file)
        return run(*_opened(workflow, values, axes, device=device, output=output, held=held))

    _finish(work, as_json)


@app.command()
def check(
    workflow: WorkflowName,
    *,
    values: Values = None,
    axes: Axes = None,
    device: Device = "auto",
    locked: Locked = False,
    lock_file: LockFile = None,
    as_json: AsJson = False,
) -> None:
    """List everything that is wrong with a workflow, without running it."""

    def work() -> "Answer":
        from .asking import check

        return check(
            lambda: _opened(workflow, values, axes, device=device, held=(locked, lock_file))
        )

    _finish(work, as_json)


@app.command()
def plan(
    workflow: WorkflowName,
    *,
    values: Values = None,
    axes: Axes = None,
    device: Device = "auto",
    locked: Locked = False,
    lock_file: LockFile = None,
    as_json: AsJson = False,
) -> None:
    """Say which nodes would run and why, and which results are stored."""

    def work() -> "Answer":
        from .explaining import plan

        held = (locked, lock_file)
        return plan(*_opened(workflow, values, axes, device=device, held=held))

    _finish(work, as_json)


@app.command()
def explain(
    workflow: WorkflowName,
    node: Annotated[str | None, typer.Argument(help="One node, instead of all.")] = None,
    *,
    values: Values = None,
    axes: Axes = None,
    edit: Annotated[
        list[str] | None,
        typer.Option("--if", metavar="NAME=VALUE", help="Say what this edit would invalidate."),
    ] = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Say for every node since when it is stored, or what has changed that it will run."""

    def work() -> "Answer":
        from .documents import with_settings
        from .explaining import explain

        opened, session = _opened(workflow, values, axes, device=device)
        changed = with_settings(opened, edit, session.catalog) if edit else None
        return explain(opened, session, node, changed)

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


Shared = Annotated[bool, typer.Option("--shared", help="The shared store, for all who use it.")]


@cache.command("prune")
def cache_prune(
    to: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="How much may stay, such as 5GB.", show_default="1GB"),
    ] = None,
    shared: Shared = False,
    as_json: AsJson = False,
) -> None:
    """Let go of the results that were not used for longest."""
    if shared and to is None:
        raise typer.BadParameter("say how much may stay in the shared store", param_hint="--to")
    _finish_cache(as_json, to or "1GB", shared=shared)


@cache.command("clear")
def cache_clear(shared: Shared = False, as_json: AsJson = False) -> None:
    """Let go of all stored results. Pictures in the output folder stay."""
    _finish_cache(as_json, "", shared=shared)


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

        return lock(find_workflow(workflow), *_opened(workflow, None, device=device), output)

    _finish(work, as_json)


def _session(
    device: str | None = None, output: Path | None = None, folder: Path | None = None
) -> "Session":
    from server.session import Session
    from server.settings import Settings

    return Session(Settings.read(), device=device, output=output, workflow_folder=folder)


def _opened(
    name: str,
    values: list[str] | None,
    axes: list[str] | None = None,
    *,
    device: str | None = None,
    output: Path | None = None,
    held: tuple[bool, Path | None] = (False, None),
) -> "tuple[Workflow, Session]":
    from .documents import find_workflow, read_workflow, with_axes, with_settings

    path = find_workflow(name)
    session = _session(device, output and output.absolute(), path.parent.absolute())
    document = workflow = read_workflow(path, session.settings.nodes)
    if values:
        workflow = with_settings(workflow, values, session.catalog)
    if axes:
        workflow = with_axes(workflow, axes, session.catalog)
    locked, lock_file = held
    if locked or lock_file:
        from .locking import hold

        hold(path, document, workflow, session, lock_file)
    return workflow, session


def _finish_cache(as_json: bool, to: str | None, *, shared: bool = False) -> None:
    def work() -> "Answer":
        from .asking import stored

        return stored(_session(), to, shared=shared)

    _finish(work, as_json)


def _finish(command: "Callable[[], Answer]", as_json: bool, failed: int = 1) -> None:
    from .answer import give

    sys.stdout.flush()
    raise typer.Exit(give(command, as_json=as_json, failed=failed))


# Like diff(1) and git's own drivers these answer with 1, and with 2 where they could not work.


@app.command()
def diff(a: WorkflowName, b: WorkflowName, as_json: AsJson = False) -> None:
    """Say how two workflows differ, in nodes, values and links. Leaves with 0 if they do not."""

    def work() -> "Answer":
        from .revising import diff

        return diff(a, b)

    _finish(work, as_json, failed=2)


@app.command()
def merge(
    base: Annotated[str, typer.Argument(metavar="BASE", help="What both came from.")],
    ours: Annotated[str, typer.Argument(metavar="OURS", help="Stays where both conflict.")],
    theirs: Annotated[str, typer.Argument(metavar="THEIRS", help="What shall come in.")],
    output: Annotated[
        Path | None, typer.Option(help="File for the result, instead of OURS.", dir_okay=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Merge what two sides made of a workflow, into OURS. Leaves with 1 if there are conflicts."""

    def work() -> "Answer":
        from .revising import merge

        return merge(base, ours, theirs, output)

    _finish(work, as_json, failed=2)


@app.command()
def fmt(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Workflow files.")],
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; leave with 1 if a file would change.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put workflow files into the form in which Darkroom saves them."""

    def work() -> "Answer":
        from .revising import fmt

        return fmt(files, check=check)

    _finish(work, as_json, failed=2)


# These leave with 1 if something has no counterpart, and with 2 where they could not work.

Written = Annotated[
    Path | None,
    typer.Option(help="File for the result, instead of standard output.", dir_okay=False),
]


@app.command("import")
def import_file(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A ComfyUI workflow or prompt, or its picture.")
    ],
    output: Written = None,
    as_json: AsJson = False,
) -> None:
    """Make a workflow of a ComfyUI file, and say what has no counterpart here."""

    def work() -> "Answer":
        from .importing import import_

        return import_(file, _session(), output)

    _finish(work, as_json, failed=2)


@app.command()
def export(
    workflow: WorkflowName,
    comfy: Annotated[
        bool, typer.Option("--comfy", help="As a ComfyUI prompt, the format of its API.")
    ],
    output: Written = None,
    as_json: AsJson = False,
) -> None:
    """Make a file for another program of a workflow, and say what has no counterpart there."""

    def work() -> "Answer":
        from .documents import find_workflow, read_workflow
        from .importing import export

        session = _session()
        read = read_workflow(find_workflow(workflow), session.settings.nodes)
        return export(read, session, output)

    _finish(work, as_json, failed=2)
