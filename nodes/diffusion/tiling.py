"""Large pictures in overlapping tiles, whose borders fade into each other."""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from engine.notices import notice
from nodes.memory import SMALLEST_TILE

from .shortage import Remedy, relieved

FALLBACK_TILE = 512
"""The tile's side in pixels when the whole picture does not fit into memory."""
_UNTRUSTED = 4
"""A tile's outermost quarter of the overlap does not count: there a network misses what lies beside."""


def faded(size: tuple[int, int], feather: int, sides: tuple[bool, bool, bool, bool]) -> Tensor:
    """A mask (1, 1, H, W) that rises from a small weight to 1 over `feather` from some of its sides.

    Args:
        size: Height and width.
        feather: How far it rises; 0 for not at all.
        sides: Whether it does so from the left, the top, the right, the bottom.
    """
    height, width = size
    left, top, right, bottom = sides
    across = _ramp(width, feather, 0, first=left, last=right)
    down = _ramp(height, feather, 0, first=top, last=bottom)
    return (down[:, None] * across[None, :])[None, None]


def tiled(
    whole: Tensor,
    work: Callable[[Tensor], Tensor],
    *,
    tile: int,
    overlap: int,
    unit: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Tensor:
    """`work` over (B, C, H, W) tile by tile; where tiles overlap, the results fade into each other.

    Args:
        whole: What is worked on.
        work: Enlarges or shrinks a tile by a whole factor.
        tile: The side of a tile, in what `whole` is measured in.
        overlap: How far tiles overlap at least; less than half of `tile`.
        unit: What tiles begin at multiples of, as the sides and `tile` are.
        progress: Told how many tiles are done.
    """
    height, width = whole.shape[-2:]
    rows, columns = (list(_spans(side, tile, overlap, unit)) for side in (height, width))
    total: Tensor | None = None
    weights: Tensor | None = None
    for number, (top, left) in enumerate((top, left) for top in rows for left in columns):
        part = whole[..., top : top + tile, left : left + tile]
        result = work(part)
        over, under = result.shape[-1], part.shape[-1]

        def sized(length: int, over: int = over, under: int = under) -> int:
            return length * over // under

        if total is None or weights is None:
            total = result.new_zeros(*result.shape[:2], sized(height), sized(width))
            weights = result.new_zeros(1, 1, sized(height), sized(width))
        reach, dead = sized(overlap), sized(overlap) // _UNTRUSTED
        down = _ramp(result.shape[-2], reach - dead, dead, first=top > 0, last=top + tile < height)
        across = _ramp(
            result.shape[-1], reach - dead, dead, first=left > 0, last=left + tile < width
        )
        weight = (down[:, None] * across[None, :]).to(result)
        place = (
            ...,
            slice(sized(top), sized(top) + result.shape[-2]),
            slice(sized(left), sized(left) + result.shape[-1]),
        )
        total[place] += result * weight
        weights[place] += weight
        progress(number + 1, len(rows) * len(columns))
    if total is None or weights is None:
        return work(whole)
    return total / weights


def tiled_to_fit(
    whole: Tensor,
    work: Callable[[Tensor], Tensor],
    *,
    tile: int,
    overlap: int,
    worker: str,
    remedies: Sequence[Remedy],
    pixels: int = 1,
    unit: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Tensor:
    """`tiled`, in smaller tiles where they are too much for the memory.

    Args:
        whole: What is worked on.
        work: See `tiled`.
        tile: The side of a tile in pixels; 0 for the whole at once, unless that is too much.
        overlap: How far tiles overlap, in pixels.
        worker: What works, in words.
        remedies: What else makes room in memory: the first before tiles get smaller, others after.
        pixels: How many pixels one place of `whole` is.
        unit: See `tiled`.
        progress: Told how many tiles are done; it begins anew with smaller ones.

    Raises:
        MemoryError: Nothing helped.
    """
    longest = max(whole.shape[-2:]) * pixels

    def worked() -> Tensor:
        if not tile:
            return work(whole)
        side, shared = tile // pixels, overlap // pixels
        return tiled(whole, work, tile=side, overlap=shared, unit=unit, progress=progress)

    def smaller() -> bool:
        nonlocal tile, overlap
        next_tile = min(tile // 2, FALLBACK_TILE) if tile else FALLBACK_TILE
        while next_tile >= longest:
            next_tile //= 2
        if next_tile < SMALLEST_TILE:
            return False
        what = f"tile of {tile}" if tile else "whole picture"
        notice(f"the {what} does not fit into memory: {worker} works in tiles of {next_tile}")
        tile, overlap = next_tile, next_tile // 4
        return True

    return relieved(
        worked,
        (*remedies[:1], smaller, *remedies[1:]),
        f"out of memory in {worker}" + (", even in tiles" if longest > SMALLEST_TILE else ""),
    )


def _spans(length: int, tile: int, overlap: int, unit: int) -> Iterator[int]:
    """Where tiles begin, so that the last one ends with the picture."""
    if length <= tile:
        yield 0
        return
    # Rounded down, so that each still overlaps the one before as far as it should.
    reach = tile - overlap - (unit - 1)
    count = -(-(length - tile) // max(reach, 1)) + 1
    for index in range(count):
        yield index * (length - tile) // (count - 1) // unit * unit


def _ramp(length: int, reach: int, dead: int, *, first: bool, last: bool) -> Tensor:
    """Weights along one side: nothing in the outermost `dead` places, then rising over `reach` to 1."""
    rising = (torch.arange(length, dtype=torch.float32) - dead + 1) / (reach + 1)
    weight = torch.ones(length)
    if first and reach:
        weight = torch.minimum(weight, rising)
    if last and reach:
        weight = torch.minimum(weight, rising.flip(0))
    return weight.clamp(min=1e-6)
