"""The commands `darkroom jobs backup` and `darkroom jobs restore`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .frame import AsJson, finish

if TYPE_CHECKING:
    from .answer import Answer

backups = typer.Typer()


@backups.command("backup")
def back_up(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to.")],
    *,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask before a file that is there is replaced.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Copy all jobs and users into one file, also while the server runs."""
    if file.exists() and not yes:
        typer.confirm(f"Replace {file}?", abort=True, err=True)

    def work() -> "Answer":
        from server.database.backup import backup
        from server.settings import Settings

        from .answer import Answer
        from .console import say

        size = backup(Settings.read().database_url, file)
        told = {"backup": str(file.absolute()), "bytes": size}
        return Answer(told, lambda: say(f"copied {size:,} bytes to {file}"))

    finish(work, as_json)


@backups.command("restore")
def bring_back(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `backup` wrote.")],
    *,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask before what is there is replaced.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup in the place of all jobs and users; the server must not run."""
    if not yes:
        typer.confirm("Replace all jobs and users by those of the backup?", abort=True, err=True)

    def work() -> "Answer":
        from server.database.backup import restore
        from server.settings import Settings

        from .answer import Answer
        from .console import say

        restore(Settings.read().database_url, file)
        told = {"restored": str(file.absolute())}
        return Answer(told, lambda: say(f"the jobs and users are those of {file}"))

    finish(work, as_json)
