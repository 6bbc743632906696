"""The nodes that maps, loops and sweeps become; only expanded graphs hold them."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from pydantic import Field

from .errors import InputError
from .grid import Axis, Grid
from .known import agreed, lasting
from .node import UNKNOWN, Json, Lazy, NodeType, node, node_type

T = TypeVar("T")
SUBGRAPH, MAP, LOOP = "Subgraph", "Map", "Loop"
"""The types of the nodes that stand for a graph."""
GATHER = "Gather"
Laps = Annotated[int, Field(ge=1, le=1_000_000)]


@node(GATHER, category="construct", infer=lambda cells: cells)
def gather(cells: list[T], *, axes: list[Json] = []) -> Grid[T]:  # noqa: B006 - never changed
    """Put the cells of a sweep or a map side by side, with their labels."""
    sides = tuple(Axis(axis["name"], tuple(axis["labels"])) for axis in axes)
    return Grid(sides, tuple(cells))


def _any_item(items: Any) -> Any:
    """What holds for every item, for the lap that asks stands for all."""
    return agreed(items) if isinstance(items, list) and items else UNKNOWN


@node("Item", category="construct", infer=_any_item)
def item(items: list[T], *, index: Annotated[int, Field(ge=0)] = 0) -> T:
    """The item of a list that one lap of a map is for."""
    return items[index]


def _looped(
    first: Callable[[], Any],
    second: Callable[[], Any],
    next_until: Callable[[], Any],
    delivered: Callable[[], Any],
    carried: Callable[[], Any],
    *,
    until: Any,
    times: Any,
) -> Any:
    """What holds whichever lap is the last: of the second one if it stands for all further ones."""
    if times == 1 or until is True:
        return first()
    given = first(), second()
    next_until(), delivered()
    laps = [[lasting(each) for each in pair] for pair in carried()]
    if any(old is not UNKNOWN and agreed((old, new)) is UNKNOWN for old, new in laps):
        return UNKNOWN
    found = agreed(given)
    return agreed(map(lasting, given)) if found is UNKNOWN else found


@node(LOOP, category="construct", infer=_looped)
def loop(
    first: Lazy[T],
    second: Lazy[T],
    next_until: Lazy[bool],
    delivered: Lazy[list[Any]],
    carried: Lazy[list[Any]],
    *,
    until: bool = False,
    begun: list[Any] = [],  # noqa: B006 - never changed
    times: Laps = 1,
) -> T:
    """What the last lap of a loop gave: the runner unfolds the laps one by one.

    Args:
        carried: Of each value that goes from lap to lap, what the first two laps gave.
        begun: What the first lap gave of these, which is asked for together with `until`.
    """
    raise InputError("a loop runs in a graph: write a Python loop in a script")


def _mapped(items: list[Any], first: Callable[[], Any], delivered: Callable[[], Any]) -> Any:
    """The first lap stands for all; how many there are may be known."""
    found, _ = first(), delivered()
    return [found] * len(items[0]) if isinstance(items[0], list) else UNKNOWN


@node(MAP, category="construct", infer=_mapped)
def map_(
    items: list[list[Any]],
    first: Lazy[T],
    delivered: Lazy[list[Any]],
    *,
    name: str = "",
    numbered: list[str] = [],  # noqa: B006 - never changed
) -> Grid[T]:
    """What a graph gave for each item of lists: the runner unfolds the laps one by one.

    Args:
        numbered: The inputs inside that get the number of the lap, for the first lap does not tell.
    """
    raise InputError("a map runs in a graph: write a Python loop in a script")


PLAIN: dict[str, NodeType] = {
    declared.name: declared
    for declared in (node_type(gather), node_type(item), node_type(loop), node_type(map_))
}
"""By the names of their types."""
