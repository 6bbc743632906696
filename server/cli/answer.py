"""What a command answers: JSON for programs, text for people, and an exit status."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.errors import Cancelled
from server.failures import failed_nodes, problem_json, problems_of
from server.plain import finite

from .console import say
from .failures import FAILED, STOPPED, status_of

Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """The result of a command. `show` prints it for people."""

    json: Json
    show: Callable[[], None]
    status: int = 0


def give(command: Callable[[], Answer], *, as_json: bool, failed: int = FAILED) -> int:
    """Run a command and print its answer, or what went wrong; returns the exit status.

    `failed` is the status where the command could not do its work, if 1 is one of its answers.
    """
    try:
        answer = command()
    except KeyboardInterrupt:
        answer = _failure(Cancelled("Ctrl-C was pressed"), failed)
    except Exception as error:  # noqa: BLE001 - the last frame: nobody sees a traceback
        answer = _failure(error, failed)
    if as_json:
        say(json.dumps(finite(answer.json), allow_nan=False))
    else:
        answer.show()
    sys.stdout.flush()
    return answer.status


def _failure(error: Exception, failed: int) -> Answer:
    from .console import say_problems

    problems = problems_of(error)
    found = [problem_json(problem) for problem in problems]
    status = status_of(problems)
    title = "stopped" if isinstance(error, Cancelled) else "error"
    return Answer(
        {"error": found[0], "problems": found, "nodes": failed_nodes(error)},
        lambda: say_problems(problems, title),
        STOPPED if isinstance(error, Cancelled) else failed if status == FAILED else status,
    )
