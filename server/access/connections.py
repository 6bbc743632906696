"""How long a connection may be of no use."""

from typing import Any

HEAD_SECONDS = 30.0


def runner_options(head_seconds: float = HEAD_SECONDS) -> dict[str, Any]:
    """Options for `web.AppRunner`: `web.AppRunner(app, **runner_options())`.

    aiohttp 3.14 and later close a connection whose request line and headers are not there when
    the time for keeping it alive is over, counted from its opening or its last answer; single
    bytes do not prolong it. What a body may take is bounded where it is read.
    """
    return {
        "keepalive_timeout": head_seconds,
        "lingering_time": min(5.0, head_seconds),
        "max_line_size": 8190,
        "max_field_size": 8190,
        "handler_cancellation": False,
    }
