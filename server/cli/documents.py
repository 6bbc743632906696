"""The workflow that a command names: found, read, and its inputs set."""

import importlib
import json
import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from engine.catalog import Catalog
from engine.errors import GraphError, Problem
from engine.graphs import Library
from engine.node import Input
from engine.workflow import Workflow
from server.settings import FAMILIES, shipped_workflows

_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF")


_NUMBER = r"(-?\d+(?:\.\d+)?)"
_SPAN = re.compile(rf"{_NUMBER}\.\.{_NUMBER}(?:\.\.{_NUMBER})?")


def find_workflow(name: str) -> Path:
    """The file that a command names: a path, or a workflow that comes with Darkroom.

    Raises:
        GraphError: There is no such file; the message lists those that are there.
    """
    shipped = shipped_workflows()
    inside = name.removeprefix("workflows/")
    for path in (Path(name), shipped / inside, shipped / f"{inside}.json"):
        if path.is_file():
            return path
    if Path(name).is_dir():
        raise _problem("missing_file", f"{name} is a folder: give a workflow file")
    files = (path for path in sorted(Path().glob("*.json")) if not path.match("*.lock.json"))
    there = {str(path): path for path in list(files)[:20]}
    there |= {path.stem: path for path in sorted(shipped.glob("*.json"))}
    there |= {
        f"{FAMILIES}/{path.stem}": path for path in sorted(shipped.glob(f"{FAMILIES}/*.json"))
    }
    near = get_close_matches(name, there, 1) or get_close_matches(Path(name).stem, there, 1)
    listed = ", ".join(there) or "none here, and none that came with Darkroom"
    raise _problem(
        "missing_file",
        f"there is no workflow {name!r}; there are {listed}",
        f"did you mean {near[0]}?" if near else None,
    )


def read_workflow(path: Path, package: str) -> Workflow:
    """The workflow in a JSON file, or the one that a picture made by Darkroom carries.

    Raises:
        GraphError: There is none in the file, or it does not have the form of one.
    """
    if not is_picture(path):
        return Workflow.read(path)
    carried = importlib.import_module(f"{package}.provenance").read_provenance(path)
    if not carried or "workflow" not in carried:
        raise _problem(
            "no_workflow",
            f"{path} carries no workflow",
            "take the picture as Darkroom saved it: programs that edit or send pictures drop what is embedded",
        )
    return Workflow.from_json(carried["workflow"], str(path))


def is_picture(path: Path) -> bool:
    """Whether a file is a picture, by its first bytes; one that cannot be read is none."""
    try:
        with path.open("rb") as file:
            return file.read(8).startswith(_PICTURES)
    except OSError:
        return False


def with_settings(workflow: Workflow, settings: Iterable[str], catalog: Catalog) -> Workflow:
    """The workflow with each `name=value` applied; a name is a named input, or `node.input`.

    Raises:
        GraphError: With every setting that cannot be applied.
    """
    return _applied(workflow, settings, catalog, "--set", read_value)


def with_axes(workflow: Workflow, axes: Iterable[str], catalog: Catalog) -> Workflow:
    """The workflow with each `name=values` as an axis of a sweep.

    Raises:
        GraphError: With every axis that cannot be applied.
    """
    return _applied(workflow, axes, catalog, "--axis", read_axis)


def _applied(
    workflow: Workflow,
    settings: Iterable[str],
    catalog: Catalog,
    option: str,
    read: Callable[[str, Input | None], Any],
) -> Workflow:
    problems: list[Problem] = []
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            hint = f"write {setting}=VALUE"
            problems.append(
                Problem("bad_setting", f"{option} {setting!r} gives no value", None, name, hint)
            )
            continue
        endpoint = workflow.inputs.get(name)
        if endpoint is not None and endpoint.node not in workflow.nodes:
            message = f"input {name!r} leads to the node {endpoint.node!r}, which is not there"
            problems.append(Problem("unknown_endpoint", message, None, name))
            continue
        value = read(text, _declared(workflow, name, catalog))
        try:
            workflow = workflow.with_input(name, value)
        except GraphError as error:
            problems.extend(error.problems)
    if problems:
        raise GraphError(problems)
    return workflow


def read_value(text: str, declared: Input | None) -> Any:
    """The text as JSON if the input takes that, as a string if it takes that, else whatever it is."""
    try:
        value = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return text
    if isinstance(value, dict) and any(name.startswith("$") for name in value):
        return value
    if declared is not None and not _suits(value, declared) and _suits(text, declared):
        return text
    return value


def read_axis(text: str, declared: Input | None) -> Any:
    """The values of an axis: `1,3,5`, `0..63`, `0..9..3` (by threes) or a JSON list."""
    match = _SPAN.fullmatch(text.strip())
    if match:
        first, last, step = (json.loads(part) if part else 1 for part in match.groups())
        return {"$axis": {"$range": {"from": first, "to": last, "step": step}}}
    if text.lstrip().startswith("["):
        return {"$axis": read_value(text, None)}
    return {"$axis": [read_value(part.strip(), declared) for part in text.split(",")]}


def _declared(workflow: Workflow, name: str, catalog: Catalog) -> Input | None:
    endpoint = workflow.inputs.get(name)
    node, inner = (endpoint.node, endpoint.name) if endpoint else name.rpartition(".")[::2]
    if node not in workflow.nodes:
        return None
    signature = Library(catalog).signature(workflow.nodes[node], (workflow,))
    return None if signature is None else signature.inputs.get(inner)


def _suits(value: object, declared: Input) -> bool:
    try:
        declared.adapter.validate_python(value)
    except ValueError:
        return False
    return True


def _no_number(constant: str) -> None:
    raise ValueError(constant)


def _problem(code: str, message: str, hint: str | None = None) -> GraphError:
    return GraphError([Problem(code, message, hint=hint)])
