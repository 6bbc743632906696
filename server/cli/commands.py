"""The program `darkroom`: every command, in the order in which the help lists them."""

from typing import Annotated

import typer

from server import __version__

from .access import tokens, users
from .backups import backups
from .exchange import exchange
from .graphs import graphs
from .jobs import jobs
from .proofs import proofs
from .serving import serving
from .stock import stock
from .storage import cache
from .versions import versions

app = typer.Typer(
    name="darkroom",
    help="Run node graphs over the Stable Diffusion family.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for commands in (serving, graphs, stock, proofs, versions, exchange):
    app.add_typer(commands)
jobs.add_typer(backups)
app.add_typer(jobs, name="jobs")
app.add_typer(users, name="users")
app.add_typer(tokens, name="tokens")
app.add_typer(cache, name="cache")


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
