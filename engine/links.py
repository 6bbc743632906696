"""What an input's value may hold besides plain JSON: links, ranges and axes."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .errors import InputError
from .node import Json, NodeType

MAX_DEPTH = 100
MAX_LENGTH = 1_000_000
"""The most values that a range may have."""


@dataclass(frozen=True, slots=True)
class Link:
    """A reference to one output of a node; in JSON `{"$link": ["node", "output"]}`."""

    node: str
    output: str = NodeType.single


@dataclass(frozen=True, slots=True)
class Range:
    """Evenly spaced numbers, both ends included; in JSON `{"$range": {"from": 1, "to": 9, "step": 2}}`.

    `count` instead of `to` says how many there are.
    """

    first: float
    step: float = 1
    last: float | None = None
    count: int | None = None

    def values(self) -> list[float]:
        """The numbers; whole ones if the range was given in whole numbers.

        Raises:
            InputError: It is empty, without end, or has more than `MAX_LENGTH` values.
        """
        try:
            numbers = [self.first + index * self.step for index in range(self._length())]
        except OverflowError:
            raise InputError("the range is too large to be counted: give smaller numbers") from None
        return [n if type(n) is int else round(n, 12) for n in numbers]

    def _length(self) -> int:
        count = self.count
        if count is None:
            last = self.first if self.last is None else self.last
            if self.step == 0 or (last - self.first) / self.step < 0:
                raise InputError(
                    f"the range from {self.first} to {last} is empty with a step of {self.step}:"
                    " let the step lead from the one to the other"
                )
            # A thousandth of a step, so that 0.1 three times reaches 0.3.
            count = int((last - self.first) / self.step + 1e-3) + 1
        if not 1 <= count <= MAX_LENGTH:
            raise InputError(f"the range has {count} values: give from 1 to {MAX_LENGTH}")
        return count

    def to_json(self) -> Json:
        """The document's form."""
        given = {"from": self.first, "to": self.last, "count": self.count}
        body: Json = {name: value for name, value in given.items() if value is not None}
        return {"$range": body if self.step == 1 else body | {"step": self.step}}


@dataclass(frozen=True, slots=True)
class Varied:
    """An input as an axis: a value for each place of a grid; in JSON `{"$axis": [1, 2, 3]}`.

    Axes of one `name` advance together, those of different names make every combination.
    """

    values: "list[Any] | Range"
    name: str | None = None

    def listed(self) -> list[Any]:
        """The values one by one.

        Raises:
            InputError: They are a range that is none.
        """
        return self.values.values() if isinstance(self.values, Range) else self.values

    def to_json(self) -> Json:
        """The document's form."""
        body: Json = {"$axis": unparsed(self.values)}
        return body if self.name is None else body | {"name": self.name}


def links_in(value: object) -> Iterator[Link]:
    """Every link inside an input's value, through lists, dicts and axes."""
    if isinstance(value, Link):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from links_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from links_in(item)
    elif isinstance(value, Varied):
        yield from links_in(value.values)


def reached(starts: Iterable[str], sources: Callable[[str], Iterable[str]]) -> set[str]:
    """The nodes that `starts` depend on, themselves included; `sources` gives those that one links to."""
    seen: set[str] = set()
    pending = list(starts)
    while pending:
        node = pending.pop()
        if node not in seen:
            seen.add(node)
            pending.extend(sources(node))
    return seen


def replace_links(value: object, follow: Callable[[Link], object]) -> Any:
    """The value with every link replaced by what `follow` gives for it."""
    if isinstance(value, Link):
        return follow(value)
    if isinstance(value, dict):
        return {name: replace_links(item, follow) for name, item in value.items()}
    if isinstance(value, list):
        return [replace_links(item, follow) for item in value]
    if isinstance(value, Varied):
        return Varied(replace_links(value.values, follow), value.name)
    return value


def unparsed(value: object) -> Any:
    """The value as JSON."""
    if isinstance(value, Link):
        return {"$link": [value.node, value.output]}
    if isinstance(value, dict):
        return {name: unparsed(item) for name, item in value.items()}
    if isinstance(value, list):
        return [unparsed(item) for item in value]
    if isinstance(value, (Range, Varied)):
        return value.to_json()
    return value


def parse_links(value: object, depth: int = MAX_DEPTH) -> Any:
    """A JSON value with every `{"$link": …}`, `{"$range": …}` and `{"$axis": …}` read.

    Raises:
        ValueError: Something starts like one of them and is none, or is nested more than `depth` deep.
    """
    if depth < 0:
        raise ValueError(f"the value is nested more than {MAX_DEPTH} deep: give a flatter one")
    if isinstance(value, list):
        return [parse_links(item, depth - 1) for item in value]
    if not isinstance(value, dict):
        return value
    marks = [name for name in value if name.startswith("$")]
    if not marks:
        return {name: parse_links(item, depth - 1) for name, item in value.items()}
    read = _READERS.get(marks[0], _read_link)(value, depth)
    if read is None:
        raise ValueError(f"{json.dumps(value)[:80]} is not {_FORMS.get(marks[0], _FORMS['$link'])}")
    return read


_FORMS = {
    "$link": 'a link: write {"$link": ["node", "output"]}',
    "$range": 'a range: write {"$range": {"from": 1, "to": 9, "step": 2}}, or "count" instead of "to"',
    "$axis": 'an axis: write {"$axis": [1, 2, 3]} or {"$axis": {"$range": …}}, with a "name" if it has one',
}


def _read_link(value: Json, depth: int) -> Link | None:
    match value:
        case {"$link": [str(node), str(output)]} if len(value) == 1:
            return Link(node, output)
    return None


def _read_range(value: Json, depth: int) -> Range | None:
    body = value["$range"]
    if len(value) != 1 or not isinstance(body, dict) or not all(map(_is_number, body.values())):
        return None
    if not {"from"} <= body.keys() <= {"from", "to", "count", "step"}:
        return None
    if ("to" in body) == ("count" in body) or isinstance(body.get("count"), float):
        return None
    return Range(body["from"], body.get("step", 1), body.get("to"), body.get("count"))


def _read_axis(value: Json, depth: int) -> Varied | None:
    if depth < MAX_DEPTH:
        raise ValueError(
            "an axis stands for a whole input, not inside a value: give the whole values in it"
        )
    name = value.get("name")
    if not value.keys() <= {"$axis", "name"} or not (name is None or isinstance(name, str)):
        return None
    values = parse_links(value["$axis"], depth - 1)
    return Varied(values, name) if isinstance(values, (list, Range)) else None


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_READERS: dict[str, Callable[[Json, int], object]] = {
    "$link": _read_link,
    "$range": _read_range,
    "$axis": _read_axis,
}
