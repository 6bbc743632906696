"""The commands about versions of a workflow: `diff`, `merge` and `fmt`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .frame import AsJson, WorkflowName, finish

if TYPE_CHECKING:
    from .answer import Answer

versions = typer.Typer()

# Like diff(1) and git's own drivers these answer with 1, and with 2 where they could not work.


@versions.command()
def diff(a: WorkflowName, b: WorkflowName, as_json: AsJson = False) -> None:
    """Say how two workflows differ, in nodes, values and links. Leaves with 0 if they do not."""

    def work() -> "Answer":
        from .revising import diff

        return diff(a, b)

    finish(work, as_json, failed=2)


@versions.command()
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

    finish(work, as_json, failed=2)


@versions.command()
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

    finish(work, as_json, failed=2)
