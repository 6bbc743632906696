"""Where everything goes on a contact sheet: cells in rows and columns, labels along the edges."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product

from engine.grid import Axis

from .lettering import Caption, drawable, line_height, width_of, wrapped, wrapped_apart, written

_LABEL_LINES = 3
_SIDE_LINES = 6
_SIDE_LETTERS = 8
"""How wide labels at the side may be beside small cells, in letters' heights."""
_TITLE_LINES = 2


@dataclass(frozen=True)
class Style:
    """How a sheet looks. Lengths are in pixels."""

    gap: int = 8
    """Between two cells."""
    letters: int = 16
    """The size of the letters; 0 leaves all text out."""
    columns: int = 0
    """Cells side by side for one axis, blocks for three and more; 0 makes it about a square."""
    background: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Red, green and blue in 0-1."""

    @property
    def line(self) -> int:
        """The height of a line of text."""
        return line_height(self.letters) if self.letters else 0

    @property
    def pad(self) -> int:
        """Between a text and what it belongs to."""
        return self.letters * 2 // 5


@dataclass(frozen=True)
class Box:
    """A place on the sheet."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class Sheet:
    """Where the cells go, row-major as in the table, and what is written where."""

    width: int
    height: int
    cells: tuple[Box, ...]
    captions: tuple[Caption, ...] = ()

    def moved(self, right: int, down: int) -> "Sheet":
        """The same further right and further down; what is left free belongs to it."""
        return Sheet(
            self.width + right,
            self.height + down,
            tuple(replace(b, left=b.left + right, top=b.top + down) for b in self.cells),
            tuple(replace(c, left=c.left + right, top=c.top + down) for c in self.captions),
        )


def squarish(count: int, width: int, height: int) -> int:
    """How many of `count` boxes go side by side, so that all are about a square with few holes."""

    def cost(columns: int) -> tuple[float, int]:
        rows = -(-count // columns)
        across, down = columns * width, rows * height
        return max(across / down, down / across) * columns * rows / count, -columns

    return min(range(1, count + 1), key=cost)


def layout(axes: Sequence[Axis], width: int, height: int, style: Style) -> Sheet:
    """The sheet for cells of `width` x `height`.

    Two axes are rows and columns, one is a row that goes on below, and with more every combination
    of the first ones is a block of the last two.
    """
    if not axes:
        return Sheet(width, height, (Box(0, 0, width, height),))
    if len(axes) == 1:
        sheet = _row(axes[0], Box(0, 0, width, height), style)
    elif len(axes) == 2:
        sheet = _table(axes[0], axes[1], Box(0, 0, width, height), style)
    else:
        sheet = _blocks(axes, Box(0, 0, width, height), style)
    margin = max(2 * style.gap, style.letters) if style.letters else style.gap
    placed = sheet.moved(margin, margin)
    return replace(placed, width=placed.width + margin, height=placed.height + margin)


def _labels(axis: Axis, style: Style) -> list[str]:
    return [drawable(written(label)) for label in axis.labels] if style.letters else []


def _slot(texts: Iterable[str], least: int, style: Style) -> int:
    """How wide a cell's place is, so that short labels are whole and long ones a few letters."""
    longest = max((width_of(text, style.letters) for text in texts), default=0)
    return max(least, min(longest, 4 * style.letters))


def _row(axis: Axis, cell: Box, style: Style) -> Sheet:
    texts = _labels(axis, style)
    slot = _slot(texts, cell.width, style)
    placed = replace(cell, left=(slot - cell.width) // 2)
    items = [Sheet(slot, cell.height, (placed,))] * len(axis.labels)
    if texts:
        labels = wrapped_apart(texts, style.letters, slot, _LABEL_LINES)
        under = cell.height + style.pad
        height = under + max(map(len, labels)) * style.line
        items = [
            Sheet(
                slot,
                height,
                (placed,),
                (Caption(0, under, slot, style.letters, lines, "center"),),
            )
            for lines in labels
        ]
    sheet = _side_by_side(items, style.columns, style.gap, max(style.gap, style.pad))
    if not (texts and axis.name):
        return sheet
    title = wrapped(axis.name, style.letters, sheet.width, _TITLE_LINES)
    return _under(title, len(title), sheet, style, is_quiet=True)


def _table(down: Axis, across: Axis, cell: Box, style: Style) -> Sheet:
    heads, sides = _labels(across, style), _labels(down, style)
    slot = _slot(heads, cell.width, style)
    step = slot + style.gap, max(cell.height, style.line) + style.gap
    left, top = (slot - cell.width) // 2, (step[1] - style.gap - cell.height) // 2
    cells = Sheet(
        len(across.labels) * step[0] - style.gap,
        len(down.labels) * step[1] - style.gap,
        tuple(
            replace(cell, left=column * step[0] + left, top=row * step[1] + top)
            for row, column in product(range(len(down.labels)), range(len(across.labels)))
        ),
    )
    if not style.letters:
        return cells
    letters, line = style.letters, style.line
    head_lines = wrapped_apart(heads, letters, slot, _LABEL_LINES)
    limit = max(cell.width * 2 // 3, _SIDE_LETTERS * letters)
    most = min(_SIDE_LINES, max(1, cell.height // line))
    side_lines = wrapped_apart(sides, letters, limit, most)
    corner = wrapped(down.name, letters, limit, 1)
    aside = max(width_of(text, letters) for lines in (*side_lines, corner) for text in lines)
    above = (1 + max(map(len, head_lines))) * line
    left, top = aside + 2 * style.pad, above + style.pad
    name = wrapped(across.name, letters, cells.width, 1)
    captions = [
        Caption(left, 0, cells.width, letters, name, "center", is_quiet=True),
        Caption(0, above - line, aside, letters, corner, "right", is_quiet=True),
    ]
    for column, lines in enumerate(head_lines):
        y = above - len(lines) * line
        captions.append(Caption(left + column * step[0], y, slot, letters, lines, "center"))
    for row, lines in enumerate(side_lines):
        y = top + row * step[1] + (step[1] - style.gap - len(lines) * line) // 2
        captions.append(Caption(0, y, aside, letters, lines, "right"))
    return replace(cells.moved(left, top), captions=tuple(captions))


def _blocks(axes: Sequence[Axis], cell: Box, style: Style) -> Sheet:
    *outer, down, across = axes
    block = _table(down, across, cell, style)
    names = [axis.name for axis in outer]
    titles = [
        " · ".join(f"{name}: {written(label)}" for name, label in zip(names, labels, strict=True))
        for labels in product(*(axis.labels for axis in outer))
    ]
    blocks = [block] * len(titles)
    if style.letters:
        lines = wrapped_apart(titles, style.letters, block.width, _TITLE_LINES)
        most = max(map(len, lines))
        blocks = [_under(title, most, block, style) for title in lines]
    between = 3 * style.gap + 2 * style.letters
    return _side_by_side(blocks, style.columns, between, between)


def _side_by_side(sheets: Sequence[Sheet], columns: int, across: int, down: int) -> Sheet:
    """Sheets of one size in rows of `columns`, so far apart; 0 makes it about a square."""
    width, height = sheets[0].width, sheets[0].height
    columns = min(columns, len(sheets)) or squarish(len(sheets), width, height)
    moved = [
        sheet.moved(number % columns * (width + across), number // columns * (height + down))
        for number, sheet in enumerate(sheets)
    ]
    return Sheet(
        max(sheet.width for sheet in moved),
        max(sheet.height for sheet in moved),
        tuple(box for sheet in moved for box in sheet.cells),
        tuple(caption for sheet in moved for caption in sheet.captions),
    )


def _under(
    title: tuple[str, ...], lines: int, sheet: Sheet, style: Style, *, is_quiet: bool = False
) -> Sheet:
    """The sheet below a title, for which `lines` lines are kept free."""
    placed = sheet.moved(0, lines * style.line + style.pad)
    caption = Caption(0, 0, sheet.width, style.letters, title, is_quiet=is_quiet)
    return replace(placed, captions=(caption, *placed.captions))
