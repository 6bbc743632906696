"""The commands that exchange graphs with other programs.

They leave with 1 if something has no counterpart, and with 2 where they could not work.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .frame import AsJson, WorkflowName, finish, session

if TYPE_CHECKING:
    from .answer import Answer

exchange = typer.Typer()
Written = Annotated[
    Path | None,
    typer.Option(help="File for the result, instead of standard output.", dir_okay=False),
]


@exchange.command("import")
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

        return import_(file, session(), output)

    finish(work, as_json, failed=2)


@exchange.command()
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

        own = session()
        return export(read_workflow(find_workflow(workflow), own.settings.nodes), own, output)

    finish(work, as_json, failed=2)
