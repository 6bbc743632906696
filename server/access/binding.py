"""Where the server may listen."""

from engine.errors import InputError
from server.settings import Settings

from .addresses import is_loopback


def check_binding(settings: Settings, users: int) -> None:
    """Refuse to listen where others can reach the server, unless they must say who they are.

    Raises:
        InputError: There are neither users nor a token.
    """
    if is_loopback(settings.host) or settings.admin_token is not None or users:
        return
    raise InputError(
        f"{settings.host} can be reached from other machines, and nobody would have to say who they "
        "are",
        code="open_door",
        input="host",
        hint="add a user first (darkroom users add NAME), or set DARKROOM_ADMIN_TOKEN, or listen on "
        "127.0.0.1",
    )
