"""The nodes that maps, loops and sweeps become; only expanded graphs hold them."""

from typing import Annotated, Any, TypeVar

from pydantic import Field

from .errors import InputError
from .grid import Axis, Grid
from .node import Json, Lazy, NodeType, node, node_type

T = TypeVar("T")
SUBGRAPH, MAP, LOOP = "Subgraph", "Map", "Loop"
"""The types of the nodes that stand for a graph."""
GATHER = "Gather"
Laps = Annotated[int, Field(ge=1, le=1_000_000)]


@node(GATHER, category="construct")
def gather(cells: list[T], *, axes: list[Json] = []) -> Grid[T]:  # noqa: B006 - never changed
    """Put the cells of a sweep or a map side by side, with their labels."""
    sides = tuple(Axis(axis["name"], tuple(axis["labels"])) for axis in axes)
    return Grid(sides, tuple(cells))


@node("Item", category="construct")
def item(items: list[T], *, index: Annotated[int, Field(ge=0)] = 0) -> T:
    """The item of a list that one lap of a map is for."""
    return items[index]


@node(LOOP, category="construct")
def loop(
    first: Lazy[T],
    second: Lazy[T],
    next_until: Lazy[bool],
    delivered: Lazy[list[Any]],
    *,
    until: bool = False,
    times: Laps = 1,
) -> T:
    """What the last lap of a loop gave: the runner unfolds the laps one by one."""
    raise InputError("a loop runs in a graph: write a Python loop in a script")


@node(MAP, category="construct")
def map_(
    items: list[list[Any]], first: Lazy[T], delivered: Lazy[list[Any]], *, name: str = ""
) -> Grid[T]:
    """What a graph gave for each item of lists: the runner unfolds the laps one by one."""
    raise InputError("a map runs in a graph: write a Python loop in a script")


PLAIN: dict[str, NodeType] = {
    declared.name: declared
    for declared in (node_type(gather), node_type(item), node_type(loop), node_type(map_))
}
"""By the names of their types."""
