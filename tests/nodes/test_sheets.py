import math
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from engine.errors import InputError
from engine.grid import Axis, Grid
from engine.node import node_type
from nodes.sheets import HIGHEST_PSNR, compare_images, image_grid
from nodes.values import Image


def picture(value: float = 0.5, width: int = 8, height: int = 6, batch: int = 1) -> Image:
    return Image(torch.full((batch, 3, height, width), value))


def test_a_grid_of_pictures_becomes_one_picture() -> None:
    axes = (Axis("steps", (10, 20)), Axis("seed", (1, 2, 3)))
    grid = Grid(axes, tuple(picture(number / 10) for number in range(6)))

    sheet = image_grid(grid, labels=False, gap=0).pixels
    turned = image_grid(grid, labels=False, gap=0, across="steps").pixels

    assert sheet.shape == (1, 3, 12, 24)
    assert sheet[0, 0, ::6, ::8].flatten().tolist() == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5])
    assert turned[0, 0, ::6, ::8].flatten().tolist() == pytest.approx([0, 0.3, 0.1, 0.4, 0.2, 0.5])


def test_labels_take_room_and_size() -> None:
    grid = Grid((Axis("seed", (1, 2)),), (picture(), picture()))

    bare, small, large = (
        image_grid(grid, labels=labels, label_size=size, columns=2).pixels.shape
        for labels, size in ((False, 0), (True, 0), (True, 40))
    )

    assert bare[2] < small[2] < large[2]


def test_the_background_is_a_colour() -> None:
    grid = Grid((Axis("seed", (1, 2)),), (picture(), picture()))

    corner = image_grid(grid, background="#ff0080").pixels[0, :, 0, 0]

    torch.testing.assert_close(corner, torch.tensor([1.0, 0.0, 128 / 255]))
    with pytest.raises(ValidationError):
        node_type(image_grid).inputs["background"].adapter.validate_python("red")


def test_figures_of_a_comparison_follow_their_definitions() -> None:
    a, b = picture(0.25, batch=2), picture(0.25, batch=2)
    b.pixels[1, 2, 3, 4] = 0.75

    found = compare_images(a, b)

    values = 2 * 3 * 6 * 8
    assert (found.largest, found.identical) == (0.5, False)
    assert found.difference == pytest.approx(0.5 / values)
    assert found.psnr == pytest.approx(10 * math.log10(values / 0.25))


def test_equal_pictures_have_a_finite_ratio() -> None:
    assert compare_images(picture(), picture())[1:] == (0.0, 0.0, HIGHEST_PSNR, True)
    nearly = picture(1e-30)
    assert compare_images(picture(0.0), nearly)[3:] == (HIGHEST_PSNR, False)


def test_a_comparison_shows_both_and_the_amplified_difference() -> None:
    a, b = picture(0.5, 60, 40), picture(0.25, 60, 40)

    sheet = compare_images(a, b, amplify=2.0).picture.pixels[0, 0]
    clamped = compare_images(a, b, amplify=8.0).picture.pixels[0, 0]

    row = sheet[sheet.shape[0] // 2]
    assert [float(row[16 + 68 * n + 30]) for n in range(3)] == [0.5, 0.25, 0.5]
    assert float(clamped[clamped.shape[0] // 2, 16 + 2 * 68 + 30]) == 1.0


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (picture(width=9), "the first is 8 x 6, the second 9 x 6: bring them to one size"),
        (picture(batch=3), "batch of 2, the second of 3"),
        (picture(batch=1), "batch of 2, the second of 1"),
        (picture(math.nan, batch=2), "b holds values that are not numbers"),
    ],
)
def test_pictures_that_cannot_be_compared_are_refused(other: Image, message: str) -> None:
    with pytest.raises(InputError, match=message):
        compare_images(picture(batch=2), other)


def test_the_inputs_take_tables_by_link() -> None:
    schema: dict[str, Any] = node_type(image_grid).schema()

    assert schema["inputs"]["properties"]["images"]["link"] == "Grid[Image]"
    assert schema["inputs"]["required"] == ["images"]
