"""`darkroom serve`."""

from typing import TYPE_CHECKING

import typer

from .flags import with_flags
from .frame import finish

if TYPE_CHECKING:
    from .answer import Answer

serving = typer.Typer()


@serving.command()
@with_flags
def serve(flags: dict[str, object]) -> None:
    """Accept graphs over HTTP, run them in workers, and tell what happens."""

    def work() -> "Answer":
        import asyncio
        import gc

        gc.disable()  # until it listens: little that a start makes is garbage, to look costs 8 %

        from server.serve import serve
        from server.settings import Settings

        from .answer import Answer

        asyncio.run(serve(Settings.read(flags=flags)))
        return Answer({}, lambda: None)

    finish(work, as_json=False)
