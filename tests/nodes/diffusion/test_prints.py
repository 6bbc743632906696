import pytest
import torch
from torch import Tensor

from engine.errors import InputError
from engine.grid import Axis, Grid
from nodes.diffusion import pixels
from nodes.diffusion.prints import arranged, contact_sheet
from nodes.diffusion.sheets import Style, layout

WHITE = 1.0
PLAIN = Style(gap=2)


def plain(value: float, width: int = 6, height: int = 4, batch: int = 1) -> Tensor:
    return torch.full((batch, 3, height, width), value)


def table(*shape: int) -> Grid[Tensor]:
    axes = tuple(Axis(f"axis {n}", tuple(range(count))) for n, count in enumerate(shape))
    count = len(list(torch.zeros(shape).flatten()))
    return Grid(axes, tuple(plain(number / 100) for number in range(count)))


def test_every_cell_is_copied_exactly_into_its_place() -> None:
    grid = table(2, 3)

    sheet = contact_sheet(grid, PLAIN, letters=0)

    assert sheet.shape == (1, 3, 2 + 2 * 6, 2 + 3 * 8)
    for number, cell in enumerate(grid.cells):
        row, column = divmod(number, 3)
        part = sheet[..., 2 + 6 * row : 6 + 6 * row, 2 + 8 * column : 8 + 8 * column]
        assert torch.equal(part, cell)
    assert (sheet == WHITE).sum() == sheet.numel() - 6 * 3 * 24


def test_letters_are_dark_on_light_and_light_on_dark() -> None:
    cells = Grid((Axis("steps", (10,)),), (plain(0.5),))

    light = contact_sheet(cells, PLAIN)
    dark = contact_sheet(cells, Style(gap=2, background=(0.0, 0.1, 0.0)))

    assert float(light.max()) == 1
    assert float(light.min()) < 0.2
    assert float(dark.min()) == 0
    assert float(dark.max()) > 0.9


def test_labels_are_drawn_where_the_layout_says() -> None:
    grid = table(2, 2)

    sheet = contact_sheet(grid, PLAIN, letters=16)

    places = layout(grid.axes, 6, 4, Style(gap=2, letters=16))
    assert sheet.shape[2:] == (places.height, places.width)
    inked = torch.ones(sheet.shape[2:], dtype=torch.bool)
    for box in places.cells:
        inked[box.top : box.top + box.height, box.left : box.left + box.width] = False
    for one in places.captions:
        part = (slice(one.top, one.top + one.height), slice(one.left, one.left + one.width))
        assert float(sheet[0, 0][part].min()) < 0.7
        inked[part] = False
    assert torch.all(sheet[0, :, inked] == WHITE)


def test_other_sizes_are_fitted_into_the_middle() -> None:
    cells = (plain(0.0, 8, 4), plain(0.0, 2, 4), plain(0.0, 4, 2))

    sheet = contact_sheet(Grid.of(list(cells)), Style(gap=1, columns=3), letters=0)[0, 0]

    assert torch.all(sheet[1:5, 1:9] == 0)
    assert torch.all(sheet[1:5, 13:15] == 0)
    assert torch.all(sheet[1:5, 10:13] == WHITE)
    assert torch.all(sheet[1:5, 15:18] == WHITE)
    assert torch.all(sheet[1:5, 19:27] == 0)


def test_a_batch_is_tiled_in_its_cell() -> None:
    batch = torch.cat([plain(0.1), plain(0.2), plain(0.3)])

    sheet = contact_sheet(Grid.of(batch), Style(gap=4))[0, 0]

    assert sheet.shape == (4 + 2 + 4, 6 + 2 + 6)
    assert torch.all(sheet[:4, :6] == 0.1)
    assert torch.all(sheet[:4, 8:] == 0.2)
    assert torch.all(sheet[6:, :6] == 0.3)
    assert torch.all(sheet[6:, 6:] == WHITE)


def test_cells_are_made_smaller_to_at_most_a_size() -> None:
    sheet = contact_sheet(Grid.of([plain(0.5, 40, 20)] * 2), PLAIN, letters=0, most=10)

    assert sheet.shape[2:] == (2 + 2 * 7, 2 + 12)
    assert contact_sheet(Grid.of(plain(0.5, 40, 20)), PLAIN, most=50).shape[2:] == (20, 40)


def test_letters_grow_with_the_cells() -> None:
    heights = [
        contact_sheet(Grid.of([plain(0.5, side, side)]), PLAIN).shape[2] - side
        for side in (128, 512)
    ]
    assert heights[0] < heights[1]


def test_the_axis_across_can_be_chosen() -> None:
    grid = arranged(table(2, 3, 4), "axis 0")

    assert [axis.name for axis in grid.axes] == ["axis 1", "axis 2", "axis 0"]
    numbers = [round(float(cell[0, 0, 0, 0]) * 100) for cell in grid.cells]
    assert numbers == [12 * a + 4 * b + c for b in range(3) for c in range(4) for a in range(2)]
    assert arranged(grid, "") is grid


def test_an_axis_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match="no axis 'axes 1'; it has axis 0, axis 1") as caught:
        contact_sheet(table(2, 2), PLAIN, across="axes 1")
    assert (caught.value.input, caught.value.hint) == ("across", "axis 1")
    with pytest.raises(InputError, match="it has none"):
        contact_sheet(table(), PLAIN, across="x")


def test_a_table_without_cells_is_refused() -> None:
    with pytest.raises(InputError, match="axis 'axis 1' has no labels"):
        contact_sheet(table(2, 0), PLAIN)


def test_too_large_a_sheet_is_refused_with_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "MAX_PIXELS", 100)

    with pytest.raises(
        InputError, match=r"2 cells of 6 x 4 would be 10 x 14.*input cell"
    ) as caught:
        contact_sheet(table(2, 1), PLAIN, letters=0)
    assert (caught.value.code, caught.value.input) == ("too_large", "cell")
