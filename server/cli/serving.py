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
        _load_log()

        from server.serve import serve
        from server.settings import Settings

        from .answer import Answer

        asyncio.run(serve(Settings.read(flags=flags)))
        return Answer({}, lambda: None)

    finish(work, as_json=False)


def _load_log() -> None:
    """Import structlog without rich, which it would load to draw tracebacks that no log here has."""
    import sys

    loaded = sys.modules.get("rich")
    sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        import structlog  # noqa: F401
    finally:
        del sys.modules["rich"]
        if loaded is not None:
            sys.modules["rich"] = loaded
