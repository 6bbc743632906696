from itertools import combinations

import pytest

from engine.grid import Axis
from nodes.diffusion.lettering import Caption, line_height
from nodes.diffusion.sheets import Box, Sheet, Style, layout, squarish

SEEDS = Axis("seed", (1, 2, 3))
STEPS = Axis("steps", (10, 20))
SAMPLERS = Axis("sampler", ("euler", "heun"))
PROMPTS = Axis("prompt", ("a red house in the snow, winter, at night",) * 2)
BARE = Style(gap=4, letters=0)
LETTERED = Style(gap=4, letters=16)


def caption(sheet: Sheet, text: str) -> Caption:
    (found,) = [one for one in sheet.captions if " ".join(one.lines) == text]
    return found


def corners(sheet: Sheet) -> list[tuple[int, int]]:
    return [(box.left, box.top) for box in sheet.cells]


@pytest.mark.parametrize(
    ("count", "width", "height", "columns"),
    [
        (1, 9, 9, 1), (2, 10, 10, 2), (3, 10, 10, 2), (4, 10, 10, 2), (5, 10, 10, 3),
        (7, 10, 10, 3), (9, 10, 10, 3), (10, 10, 10, 4), (4, 100, 10, 1), (4, 10, 100, 4),
    ],
)  # fmt: skip
def test_boxes_make_about_a_square(count: int, width: int, height: int, columns: int) -> None:
    assert squarish(count, width, height) == columns


def test_a_cell_without_axes_is_the_sheet() -> None:
    assert layout((), 30, 20, LETTERED) == Sheet(30, 20, (Box(0, 0, 30, 20),))


def test_two_axes_without_labels_are_rows_and_columns() -> None:
    sheet = layout((STEPS, SEEDS), 30, 20, BARE)

    assert sheet == Sheet(
        4 + 3 * 34,
        4 + 2 * 24,
        tuple(Box(4 + 34 * column, 4 + 24 * row, 30, 20) for row in (0, 1) for column in (0, 1, 2)),
    )


def test_labels_stand_above_their_column_and_beside_their_row() -> None:
    sheet = layout((STEPS, SEEDS), 100, 80, LETTERED)

    line = line_height(16)
    for column, seed in enumerate(SEEDS.labels):
        found, below = caption(sheet, str(seed)), sheet.cells[column]
        assert (found.left, found.width, found.align) == (below.left, 100, "center")
        assert found.top + line <= below.top
    for row, steps in enumerate(STEPS.labels):
        found, beside = caption(sheet, str(steps)), sheet.cells[3 * row]
        assert found.left + found.width <= beside.left
        assert found.align == "right"
        assert found.top + line // 2 == beside.top + 40
    across, down = caption(sheet, "seed"), caption(sheet, "steps")
    assert across.is_quiet
    assert across.top + line == caption(sheet, "1").top == down.top
    assert across.left == sheet.cells[0].left
    assert across.left + across.width == sheet.cells[2].left + 100


def test_one_axis_goes_on_below_with_labels_under_the_cells() -> None:
    axis = Axis("sampler", ("euler", "heun", "ddim", "lcm", "dpmpp_2m"))

    sheet = layout((axis,), 100, 100, LETTERED)

    assert [box.left for box in sheet.cells[:3]] == [box.left for box in sheet.cells[3:]] + [
        sheet.cells[2].left
    ]
    for label, box in zip(axis.labels, sheet.cells, strict=True):
        found = caption(sheet, label)
        assert (found.left, found.width, found.align) == (box.left, box.width, "center")
        assert found.top == box.top + box.height + LETTERED.pad
    assert caption(sheet, "sampler").top + line_height(16) + LETTERED.pad == sheet.cells[0].top
    assert sheet.cells[3].top > caption(sheet, "euler").top + line_height(16)


@pytest.mark.parametrize(("columns", "rows"), [(1, 3), (2, 2), (3, 1), (99, 1)])
def test_columns_can_be_chosen(columns: int, rows: int) -> None:
    sheet = layout((SEEDS,), 10, 10, Style(gap=2, letters=0, columns=columns))

    assert len({top for _, top in corners(sheet)}) == rows


def test_three_axes_are_titled_blocks_of_the_inner_two() -> None:
    sheet = layout((SAMPLERS, STEPS, SEEDS), 50, 50, LETTERED)

    euler, heun = caption(sheet, "sampler: euler"), caption(sheet, "sampler: heun")
    first, second = sheet.cells[:6], sheet.cells[6:]
    shift = heun.left - euler.left, heun.top - euler.top
    assert shift != (0, 0)
    assert corners(Sheet(0, 0, second)) == corners(Sheet(0, 0, first).moved(*shift))
    assert euler.top + line_height(16) <= min(box.top for box in first)
    assert [one.lines for one in sheet.captions].count(("seed",)) == 2


def test_every_combination_of_outer_axes_is_a_block() -> None:
    sheet = layout((SAMPLERS, STEPS, STEPS, SEEDS), 200, 50, LETTERED)

    titles = [" ".join(one.lines) for one in sheet.captions if "·" in " ".join(one.lines)]
    assert titles == [
        "sampler: euler · steps: 10",
        "sampler: euler · steps: 20",
        "sampler: heun · steps: 10",
        "sampler: heun · steps: 20",
    ]


def test_blocks_without_labels_stand_apart() -> None:
    sheet = layout((STEPS, STEPS, SEEDS), 10, 10, Style(gap=2, letters=0, columns=1))

    assert not sheet.captions
    assert sheet.cells[6].top - (sheet.cells[3].top + 10) == 6


def test_small_cells_leave_room_for_short_labels() -> None:
    sheet = layout((STEPS, Axis("guidance", (1, 123456))), 16, 16, LETTERED)

    wide = caption(sheet, "123456")
    box = sheet.cells[1]
    assert wide.width > 16
    assert 2 * (box.left - wide.left) in {wide.width - 16, wide.width - 17}


@pytest.mark.parametrize("letters", [0, 13, 40])
@pytest.mark.parametrize("size", [(1, 1), (16, 64), (128, 128), (300, 40)])
@pytest.mark.parametrize(
    "axes",
    [
        (SEEDS,), (Axis("", ("",)),), (PROMPTS,), (STEPS, SEEDS), (PROMPTS, PROMPTS),
        (Axis("", (1,)), Axis("", (None,))), (SAMPLERS, STEPS, SEEDS), (PROMPTS,) * 4,
    ],
)  # fmt: skip
def test_nothing_overlaps_and_nothing_leaves_the_sheet(
    axes: tuple[Axis, ...], size: tuple[int, int], letters: int
) -> None:
    sheet = layout(axes, *size, Style(gap=3, letters=letters))

    texts = [Box(c.left, c.top, c.width, c.height) for c in sheet.captions if c.lines]
    places = [*sheet.cells, *texts]
    for box in places:
        assert 0 <= box.left <= box.left + box.width <= sheet.width
        assert 0 <= box.top <= box.top + box.height <= sheet.height
    assert [pair for pair in combinations(places, 2) if overlap(*pair)] == []
    assert {(box.width, box.height) for box in sheet.cells} == {size}


def overlap(one: Box, other: Box) -> bool:
    return (
        one.left < other.left + other.width
        and other.left < one.left + one.width
        and one.top < other.top + other.height
        and other.top < one.top + one.height
    )
