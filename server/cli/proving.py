"""Making a delivered file again, and saying whether it is the same."""

import importlib
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.conditions import Drift
from engine.difference import Difference
from engine.errors import EngineError, GraphError, InputError, Problem
from server.failures import failed_nodes, problem_json, problems_of
from server.session import Session

from .answer import Answer, Json
from .console import say, say_problems, seconds
from .failures import status_of

if TYPE_CHECKING:
    from engine.executor import Result
    from engine.provenance import Provenance
    from engine.remake import Remake

DIFFERS, IMPOSSIBLE = 1, 3
"""Exit statuses: the file made again is another one; it cannot be made again."""
Open = Callable[[str | None], Session]
"""Opens a session on a device, or on the best one."""


@dataclass(frozen=True)
class _Made:
    """A file made again, beside the one that it was made from."""

    remake: "Remake"
    path: Path
    difference: Difference
    drift: list[Drift]
    seconds: float


def reproduce(picture: Path, opened: Open, device: str, output: Path | None) -> Answer:
    """Make a delivered file again without what is stored, and compare the two.

    Args:
        picture: The file.
        opened: Opens a session.
        device: Where to compute; "auto" is the kind of device that it was made on, if it is here.
        output: The folder for the file made again, in place of a temporary one.

    Raises:
        Cancelled: Ctrl-C.
    """
    from engine.errors import Cancelled

    try:
        made = _made(picture, opened, device, output)
    except Cancelled:
        raise
    except (EngineError, InputError, OSError) as error:
        return _impossible(error)
    return Answer(
        _json(picture, made),
        lambda: _show(picture, made),
        0 if made.difference.identical else DIFFERS,
    )


def _made(picture: Path, opened: Open, device: str, output: Path | None) -> _Made:
    from engine.remake import prepare

    session, told = _read(picture, opened, device)
    remake = prepare(told, session.catalog, session.runtime)
    folder = output or Path(tempfile.mkdtemp(prefix="darkroom-reproduce-"))
    delivery = replace(session.runtime.delivery, folder=folder, previews=folder)
    runtime = replace(session.runtime, delivery=delivery)
    remake = replace(remake, runtime=runtime)
    result = _run(remake)
    path = _delivered(result, remake)
    took = sum(node.seconds for node in result.nodes.values())
    return _Made(remake, path, runtime.compare(picture, path), remake.drift(), took)


def _read(picture: Path, opened: Open, device: str) -> "tuple[Session, Provenance]":
    """What the file tells, and a session on the device that it asks for."""
    from engine import provenance

    session = opened(None)
    carried = _carried(picture, session)
    if not carried:
        raise GraphError([_untold(picture)])
    told = provenance.read(carried, picture.name)
    wanted = told.profile.get("device") if device == "auto" else device
    for kind in (wanted, None):
        session = opened(kind)
        try:
            session.runtime  # noqa: B018 - opened here, to see whether the device is there
        except InputError as error:
            if error.code != "no_device" or device != "auto":
                raise
            continue
        break
    return session, told


def _carried(path: Path, session: Session) -> Any:
    package = importlib.import_module(f"{session.settings.nodes}.provenance")
    return package.read_provenance(path)


def _run(remake: "Remake") -> "Result":
    """Run into an empty store, so that nothing is taken from earlier runs."""
    from engine.executor import execute
    from engine.store import Store

    from .progress import watching
    from .running import Interrupt

    with Interrupt() as interrupt, watching() as watch:
        return execute(
            remake.program,
            Store(codecs=remake.runtime.codecs),
            remake.runtime,
            on_event=watch,
            cancel=interrupt.cancel,
        )


def _delivered(result: "Result", remake: "Remake") -> Path:
    """The one of the files made again that the picture is compared with."""
    from engine.store import artifacts_in

    told = remake.told
    paths = [Path(each.path) for each in artifacts_in(result.outputs.get(told.node))]
    return paths[told.index] if told.index < len(paths) else _missing(told)


def _missing(told: "Provenance") -> Path:
    raise InputError(
        f'node "{told.node}" delivered no file number {told.index + 1} this time: its batch is smaller',
        code="other_batch",
    )


def _untold(picture: Path) -> Problem:
    return Problem(
        "no_provenance",
        f"{picture} does not tell how it was made",
        hint="take the picture as Darkroom saved it: programs that edit or send pictures drop what is embedded",
    )


def _impossible(error: Exception) -> Answer:
    problems = problems_of(error)
    found = [problem_json(problem) for problem in problems]
    return Answer(
        {"error": found[0], "problems": found, "nodes": failed_nodes(error)},
        lambda: say_problems(problems, "cannot be made again"),
        max(IMPOSSIBLE, status_of(problems)),
    )


def _json(picture: Path, made: _Made) -> Json:
    told = made.remake.told
    return {
        "identical": made.difference.identical,
        "picture": str(picture.absolute()),
        "made": str(made.path.absolute()),
        "difference": asdict(made.difference) | {"text": made.difference.text},
        "drift": [asdict(each) | {"text": each.text} for each in made.drift],
        "notes": list(made.remake.notes),
        "node": told.node,
        "index": told.index,
        "count": told.count,
        "run": told.run,
        "time": told.time,
        "seconds": round(made.seconds, 6),
    }


def _show(picture: Path, made: _Made) -> None:
    told = made.remake.told
    of = f", picture {told.index + 1} of {told.count}" if told.count > 1 else ""
    when = f", made {told.time} in run {told.run}" if told.run else ""
    say(f'{picture.name}: from node "{told.node}"{of}{when}')
    for note in made.remake.notes:
        say(f"  note: {note}")
    for each in made.drift:
        place = f' ("{each.node}")' if each.node else ""
        say(f"  changed{place}: {each.text}")
    if not made.drift:
        same = "files, code, libraries and machine" if told.is_full else "libraries and device"
        say(f"  conditions: {same} are as they were")
    say(f"  made again in {seconds(made.seconds)}: {made.path}")
    say(
        f"identical: it {made.difference.text}"
        if made.difference.identical
        else f"different: it {made.difference.text}"
    )
