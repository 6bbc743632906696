"""Labelled tables: what a sweep or a map gives, one value for each combination of labels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Generic, TypeVar

from .node import Opaque

T = TypeVar("T")


@dataclass(frozen=True)
class Axis:
    """One side of a table: what was varied, and the value at each place, as JSON."""

    name: str
    labels: tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Grid(Opaque, Generic[T]):
    """Cells over labelled axes, row-major: the last axis varies quickest.

    Without axes it holds one cell.
    """

    axes: tuple[Axis, ...]
    cells: tuple[T, ...]

    @classmethod
    def of(cls, value: Any) -> "Grid[Any]":
        """The value itself if it is a grid, a list as one axis, or anything else as the one cell."""
        if isinstance(value, Grid):
            return value
        if isinstance(value, list):
            return cls((Axis("item", tuple(range(len(value)))),), tuple(value))
        return cls((), (value,))

    @property
    def shape(self) -> tuple[int, ...]:
        """How many labels each axis has."""
        return tuple(len(axis.labels) for axis in self.axes)

    def labelled(self) -> Iterator[tuple[dict[str, Any], T]]:
        """Every cell with its label on each axis."""
        yield from zip(labels(self.axes), self.cells, strict=True)


def labels(axes: Sequence[Axis]) -> Iterator[dict[str, Any]]:
    """Every combination of the axes' labels, the last axis quickest."""
    names = [axis.name for axis in axes]
    for combination in product(*(axis.labels for axis in axes)):
        yield dict(zip(names, combination, strict=True))
