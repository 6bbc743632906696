"""What a worker tells its log: a line of JSON for each event, on standard error."""

import json
import sys
import threading
import traceback
from typing import Any, Literal

Level = Literal["debug", "info", "warning", "error"]


def say(level: Level, event: str, **fields: Any) -> None:
    """Write an event with what belongs to it."""
    told = {"level": level, "event": event, "thread": threading.current_thread().name, **fields}
    sys.stderr.write(json.dumps(told, default=str) + "\n")
    sys.stderr.flush()


def say_error(event: str, error: BaseException, **fields: Any) -> None:
    """Write what nobody foresaw, with its traceback."""
    say(
        "error",
        event,
        error=repr(error),
        traceback="".join(traceback.format_exception(error)),
        **fields,
    )
