"""Contact sheets made pictures: cells fitted into their places, labels drawn."""

from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from engine.errors import InputError
from engine.grid import Grid

from . import pixels
from .lettering import coverage
from .sheets import Sheet, Style, layout, squarish

_SMALLEST_LETTERS = 13
_CELLS_PER_LETTER = 22
_QUIET = 0.55
"""How far the paler ink is from the background to the darker ink."""


def contact_sheet(
    grid: Grid[Tensor],
    style: Style,
    *,
    letters: int | Literal["auto"] = "auto",
    across: str = "",
    most: int = 0,
) -> Tensor:
    """One picture, (1, 3, H, W), of all cells, which are batches (B, 3, H, W) of any size.

    A picture as large as its place is copied exactly; another is fitted into the middle.

    Args:
        grid: The cells and their labels.
        style: How it looks; its letters are replaced.
        letters: Their size, 0 for no text, or "auto" for one that suits the cells.
        across: The axis whose labels go from left to right; the last one for none.
        most: How many pixels the longer side of a cell has at most; 0 is no limit.

    Raises:
        InputError: There is no cell, no such axis, or the sheet would be too large.
    """
    if not grid.cells:
        empty = next(axis.name for axis in grid.axes if not axis.labels)
        raise InputError(
            f"the table has no cells, because its axis {empty!r} has no labels: give it a value",
            input="images",
        )
    grid = arranged(Grid(grid.axes, tuple(_tiled(batch, style) for batch in grid.cells)), across)
    width, height = _common_size(grid.cells, most)
    chosen = _letters_for(width, height) if letters == "auto" else letters
    style = replace(style, letters=chosen)
    return _drawn(grid, layout(grid.axes, width, height, style), style)


def arranged(grid: Grid[Tensor], across: str) -> Grid[Tensor]:
    """The same table with the axis named `across` as its last; as it is for no name.

    Raises:
        InputError: There is no such axis.
    """
    if not across:
        return grid
    names = [axis.name for axis in grid.axes]
    if across not in names:
        near = get_close_matches(across, names, 1)
        raise InputError(
            f"the table has no axis {across!r}; it has {', '.join(names) or 'none'}",
            input="across",
            hint=near[0] if near else None,
        )
    at = names.index(across)
    order = np.moveaxis(np.arange(len(grid.cells)).reshape(grid.shape), at, -1).flatten()
    axes = (*grid.axes[:at], *grid.axes[at + 1 :], grid.axes[at])
    return Grid(axes, tuple(grid.cells[index] for index in order))


def _drawn(grid: Grid[Tensor], sheet: Sheet, style: Style) -> Tensor:
    _check_size(sheet)
    background = torch.tensor(style.background).view(3, 1, 1)
    canvas = background.expand(3, sheet.height, sheet.width).clone()
    for box, picture in zip(sheet.cells, grid.cells, strict=True):
        fitted = _fitted(picture, box.width, box.height)
        down, across = fitted.shape[-2:]
        top, left = box.top + (box.height - down) // 2, box.left + (box.width - across) // 2
        canvas[:, top : top + down, left : left + across] = fitted
    is_light = float(pixels.luminance(background[None])) > 0.5
    ink = torch.full((3, 1, 1), 0.07 if is_light else 0.95)
    for caption in (caption for caption in sheet.captions if caption.lines):
        colour = torch.lerp(background, ink, _QUIET) if caption.is_quiet else ink
        rows = slice(caption.top, caption.top + caption.height)
        part = canvas[:, rows, caption.left : caption.left + caption.width]
        part.copy_(torch.lerp(part, colour.expand_as(part), coverage(caption)))
    return canvas[None]


def _check_size(sheet: Sheet) -> None:
    if sheet.width * sheet.height > pixels.MAX_PIXELS:
        raise InputError(
            f"the sheet of {len(sheet.cells)} cells of {sheet.cells[0].width} x {sheet.cells[0].height}"
            f" would be {sheet.width} x {sheet.height}, {sheet.width * sheet.height / 1e6:.0f}"
            f" megapixels, and {pixels.MAX_PIXELS // 10**6} are the most: make the cells smaller with"
            " the input cell",
            code="too_large",
            input="cell",
        )


def _tiled(batch: Tensor, style: Style) -> Tensor:
    """The pictures of a batch, (B, 3, H, W), side by side as one, (3, H, W)."""
    count, _, height, width = batch.shape
    if count == 1:
        return batch[0]
    gap = -(-style.gap // 2)
    columns = squarish(count, width, height)
    rows = -(-count // columns)
    across, down = columns * (width + gap) - gap, rows * (height + gap) - gap
    canvas = torch.tensor(style.background).view(3, 1, 1).expand(3, down, across).clone()
    for number, picture in enumerate(batch):
        row, column = divmod(number, columns)
        top, left = row * (height + gap), column * (width + gap)
        canvas[:, top : top + height, left : left + width] = picture
    return canvas


def _common_size(pictures: Iterable[Tensor], most: int) -> tuple[int, int]:
    """The width and height that hold every picture, scaled to at most `most` a side; 0 is no limit."""
    heights, widths = zip(*(picture.shape[-2:] for picture in pictures), strict=True)
    width, height = max(widths), max(heights)
    factor = min(1.0, most / max(width, height)) if most else 1.0
    return max(1, round(width * factor)), max(1, round(height * factor))


def _fitted(picture: Tensor, width: int, height: int) -> Tensor:
    down, across = picture.shape[-2:]
    factor = min(width / across, height / down)
    size = max(1, round(across * factor)), max(1, round(down * factor))
    return pixels.resize(picture[None], *size, "lanczos")[0]


def _letters_for(width: int, height: int) -> int:
    """The size of letters that suits cells of this size."""
    return max(_SMALLEST_LETTERS, min(width, height) // _CELLS_PER_LETTER)
