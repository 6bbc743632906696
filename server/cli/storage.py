"""The commands of `darkroom cache`."""

from typing import TYPE_CHECKING, Annotated

import typer

from .frame import AsJson, finish, session

if TYPE_CHECKING:
    from .answer import Answer

cache = typer.Typer(help="What earlier runs left behind, so that nothing is computed twice.")


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


def _finish_cache(as_json: bool, to: str | None, *, shared: bool = False) -> None:
    def work() -> "Answer":
        from .asking import stored

        return stored(session(), to, shared=shared)

    finish(work, as_json)
