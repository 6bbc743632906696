"""Tables as text: one row for each cell of a sweep, one column for each axis and each value."""

import csv
import io
import json
import math
import os.path
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from engine.artifacts import Artifact
from engine.errors import InputError
from engine.grid import Axis, Grid

_MARKDOWN = re.compile(r"([\\`*|<\[])")


@dataclass(frozen=True)
class Table:
    """Named columns, and rows of JSON values; numbers may be infinite or NaN."""

    names: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def joined(columns: Mapping[str, Grid[Any]], place: Callable[[str], str]) -> Table:
    """The columns side by side, with the labels of their axes before them.

    A column that lacks some of the axes has the same value along them.

    Args:
        columns: Values that JSON can carry, and files.
        place: What to write for the path of a file.

    Raises:
        InputError: Columns vary by other axes, share a name, or hold what cannot be written.
    """
    widest = max(columns, key=lambda name: len(columns[name].axes))
    axes = columns[widest].axes
    names = (*(axis.name for axis in axes), *columns)
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(
            f"two columns are named {twice!r}: give the axis or the column another name",
            code="name_taken",
            input="columns",
        )
    picks = {name: _strides(grid.axes, axes, (name, widest)) for name, grid in columns.items()}
    rows = []
    for places in product(*(range(len(axis.labels)) for axis in axes)):
        row = [axis.labels[at] for axis, at in zip(axes, places, strict=True)]
        for name, grid in columns.items():
            steps = picks[name]
            cell = grid.cells[sum(at * step for at, step in zip(places, steps, strict=True))]
            row.append(_as_json(cell, name, place))
        rows.append(tuple(row))
    return Table(names, tuple(rows))


def within(root: Path, folder: Path) -> Callable[[str], str]:
    """How a text in `folder` names files: from there if they lie in `root`, else by their whole path."""
    root, folder = root.resolve(), folder.resolve()

    def place(path: str) -> str:
        if not Path(path).is_relative_to(root):
            return path
        return Path(os.path.relpath(path, folder)).as_posix()

    return place


def csv_text(table: Table, separator: str) -> str:
    """Values as JSON without the quotes of texts; an empty field for none."""
    file = io.StringIO()
    writer = csv.writer(file, delimiter=separator, lineterminator="\n")
    writer.writerow(table.names)
    writer.writerows([_field(value) for value in row] for row in table.rows)
    return file.getvalue()


def json_text(table: Table) -> str:
    """A list with one object for each row; numbers that JSON lacks are null."""
    rows = [dict(zip(table.names, map(_finite, row), strict=True)) for row in table.rows]
    return json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def markdown_text(table: Table) -> str:
    """A table as GitHub and most others read it, numbers to the right."""
    marks = [
        "---:" if all(_is_number(row[at]) for row in table.rows) else "---"
        for at in range(len(table.names))
    ]
    lines = [map(_cell, table.names), marks]
    lines += [[_cell(_field(value)) for value in row] for row in table.rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _strides(
    own: tuple[Axis, ...], axes: tuple[Axis, ...], names: tuple[str, str]
) -> tuple[int, ...]:
    """How far the cell of a column moves for one step along each of the axes."""
    for axis in own:
        if axis not in axes:
            raise InputError(
                f"the column {names[0]!r} varies by {axis.name} in {len(axis.labels)} labels, the"
                f" column {names[1]!r} does not: link tables of one sweep",
                code="size_mismatch",
                input="columns",
            )
    steps, step = {}, 1
    for axis in reversed(own):
        steps[axis.name] = step
        step *= len(axis.labels)
    return tuple(steps.get(axis.name, 0) for axis in axes)


def _as_json(value: Any, column: str, place: Callable[[str], str]) -> Any:
    if isinstance(value, Artifact):
        return place(value.path)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [_as_json(item, column, place) for item in value]
    if isinstance(value, dict):
        return {str(name): _as_json(item, column, place) for name, item in value.items()}
    kind = type(value).__name__
    raise InputError(
        f"the column {column!r} holds a value of type {kind}, which no table can show: link a number, a text,"
        " or the files of a node such as SaveImage",
        code="wrong_type",
        input="columns",
    )


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    return value


def _field(value: Any) -> str:
    """A value on its own; of a list with one text, such as a file, that text."""
    if isinstance(value, (list, tuple)) and len(value) == 1 and isinstance(value[0], str):
        (value,) = value
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _cell(text: str) -> str:
    return "<br>".join(_MARKDOWN.sub(r"\\\1", text).splitlines())
