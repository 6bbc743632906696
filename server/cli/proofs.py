"""The commands that hold results to what they were: `reproduce` and `lock`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .frame import AsJson, Device, Output, WorkflowName, finish, opened, session

if TYPE_CHECKING:
    from .answer import Answer

proofs = typer.Typer()


@proofs.command()
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
        return reproduce(picture, lambda kind: session(kind, None, folder), device, output)

    finish(work, as_json)


@proofs.command()
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

        return lock(find_workflow(workflow), *opened(workflow, None, device=device), output)

    finish(work, as_json)
