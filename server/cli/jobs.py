"""The commands of `darkroom jobs`: what a server has run, runs and will run."""

from typing import TYPE_CHECKING, Annotated

import typer

from .frame import AsJson, finish

if TYPE_CHECKING:
    from .answer import Answer

DEFAULT = "http://127.0.0.1:8188"
jobs = typer.Typer(help="The jobs of a server.")
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
