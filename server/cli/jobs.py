"""The commands of `darkroom jobs`: what a server has run, runs and will run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .frame import AsJson, finish

if TYPE_CHECKING:
    from .answer import Answer

DEFAULT = "http://127.0.0.1:8188"
jobs = typer.Typer(help="The jobs that a server keeps.")
Server = Annotated[
    str,
    typer.Option(
        "--server",
        metavar="URL",
        envvar="DARKROOM_SERVER",
        help="Which server. DARKROOM_TOKEN says who you are.",
    ),
]
JobId = Annotated[str, typer.Argument(metavar="ID", help="A job's id, or how one ends.")]
JobIds = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids, or how they end.")]


@jobs.callback(invoke_without_command=True)
def list_jobs(
    context: typer.Context,
    *,
    state: Annotated[
        list[str] | None,
        typer.Option(metavar="STATE", help="Only those in this state. Can be repeated."),
    ] = None,
    text: Annotated[str | None, typer.Option(help="Only those with this in name or id.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    server: Server = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """List the jobs of a server, the newest first."""
    if context.invoked_subcommand is not None:
        if any(
            f"{context.get_parameter_source(n)}".endswith("COMMANDLINE") for n in context.params
        ):
            name = context.invoked_subcommand
            raise typer.BadParameter(f"options of `jobs {name}` come after `{name}`")
        return

    def work() -> "Answer":
        from .queueing import list_jobs

        return list_jobs(server, tuple(state or ()), text, limit)

    finish(work, as_json)


@jobs.command("show")
def show_job(job: JobId, server: Server = DEFAULT, as_json: AsJson = False) -> None:
    """Show one job, with what became of its nodes."""

    def work() -> "Answer":
        from .queueing import show_job

        return show_job(server, job)

    finish(work, as_json)


@jobs.command("cancel")
def cancel_jobs(ids: JobIds, server: Server = DEFAULT, as_json: AsJson = False) -> None:
    """Cancel jobs that are queued or run."""

    def work() -> "Answer":
        from .queueing import cancel_jobs

        return cancel_jobs(server, ids)

    finish(work, as_json)


@jobs.command("retry")
def retry_jobs(ids: JobIds, server: Server = DEFAULT, as_json: AsJson = False) -> None:
    """Queue jobs that have ended once more, as new ones."""

    def work() -> "Answer":
        from .queueing import retry_jobs

        return retry_jobs(server, ids)

    finish(work, as_json)


@jobs.command("delete")
def delete_jobs(ids: JobIds, server: Server = DEFAULT, as_json: AsJson = False) -> None:
    """Forget jobs that have ended. What they delivered stays."""

    def work() -> "Answer":
        from .queueing import delete_jobs

        return delete_jobs(server, ids)

    finish(work, as_json)


@jobs.command("backup")
def back_up(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Where to; a file that is there is replaced.")
    ],
    as_json: AsJson = False,
) -> None:
    """Copy all jobs and users into one file, also while the server runs."""

    def work() -> "Answer":
        from server.database.backup import backup
        from server.settings import Settings

        from .answer import Answer
        from .console import say

        size = backup(Settings.read().database_url, file)
        told = {"backup": str(file.absolute()), "bytes": size}
        return Answer(told, lambda: say(f"copied {size:,} bytes to {file}"))

    finish(work, as_json)


@jobs.command("restore")
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
