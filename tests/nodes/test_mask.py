from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from torch import Tensor

from engine.errors import InputError
from nodes import mask as masks
from nodes.folders import Folders
from nodes.image import Fill, Scale
from nodes.values import Image, Mask


@pytest.fixture
def inputs(tmp_path: Path) -> Folders:
    PIL.Image.fromarray(np.array([[[255, 0, 51, 204]]], dtype=np.uint8)).save(tmp_path / "dot.png")
    PIL.Image.new("RGB", (2, 2)).save(tmp_path / "opaque.png")
    return Folders(models=(), images=(tmp_path,))


def box(x: int, y: int, width: int, height: int) -> Mask:
    return masks.mask_from_box(
        x=x, y=y, width=width, height=height, canvas_width=32, canvas_height=24
    )


@pytest.mark.parametrize(
    ("channel", "expected"),
    [("alpha", 0.2), ("red", 1), ("green", 0), ("blue", 0.2), ("luminance", 0.299 + 0.114 * 0.2)],
)
def test_each_channel_can_be_the_mask(
    inputs: Folders, channel: masks.Channel, expected: float
) -> None:
    loaded = masks.load_mask(image="dot.png", channel=channel, folders=inputs)

    assert loaded.pixels.shape == (1, 1, 1, 1)
    assert loaded.pixels.item() == pytest.approx(expected, abs=1e-6)


def test_a_picture_without_alpha_says_so(inputs: Folders) -> None:
    with pytest.raises(
        InputError, match=r"opaque.png has no alpha channel: choose luminance"
    ) as caught:
        masks.load_mask(image="opaque.png", folders=inputs)
    assert caught.value.input == "channel"


def test_a_mask_becomes_a_picture_and_back() -> None:
    values = torch.rand(2, 1, 5, 4, generator=torch.Generator("cpu").manual_seed(0))

    shown = masks.mask_to_image(Mask(values))

    assert shown.pixels.shape == (2, 3, 5, 4)
    assert torch.equal(masks.image_to_mask(shown, channel="green").pixels, values)
    torch.testing.assert_close(masks.image_to_mask(shown).pixels, values)


def test_inverting_swaps_inside_and_outside() -> None:
    assert masks.invert_mask(box(0, 0, 32, 24)).pixels.sum() == 0


def test_a_box_reaches_as_far_as_the_canvas() -> None:
    pixels = box(30, 20, 100, 2).pixels

    assert pixels.shape == (1, 1, 24, 32)
    assert pixels.sum() == 2 * 2
    assert pixels[0, 0, 20:22, 30:].min() == 1


def test_growing_by_a_square_widens_the_box_on_all_sides() -> None:
    grown = masks.grow_mask(box(10, 8, 5, 4), pixels=3, shape="square")

    assert torch.equal(grown.pixels, box(7, 5, 11, 10).pixels)


def test_shrinking_takes_back_what_growing_a_box_gave() -> None:
    grown = masks.grow_mask(box(10, 8, 5, 4), pixels=3)

    assert torch.equal(masks.grow_mask(grown, pixels=-3).pixels, box(10, 8, 5, 4).pixels)


def test_feathering_keeps_the_border_at_one_half() -> None:
    half = masks.mask_from_box(width=64, height=64, canvas_width=128, canvas_height=64)

    soft = masks.feather_mask(half, radius=12).pixels[0, 0, 32]

    assert (soft[63] + soft[64]).item() == pytest.approx(1, abs=1e-5)
    assert soft[64 - 12].item() == pytest.approx(0.977, abs=0.01)
    assert soft[0].item() == pytest.approx(1, abs=1e-5)


def test_no_feathering_changes_nothing() -> None:
    hard = box(3, 3, 9, 9)

    assert torch.equal(masks.feather_mask(hard, radius=0).pixels, hard.pixels)


def test_the_threshold_itself_counts_as_inside() -> None:
    soft = Mask(torch.tensor([0.0, 0.49, 0.5, 1.0]).view(1, 1, 1, 4))

    assert masks.threshold_mask(soft).pixels.flatten().tolist() == [0, 0, 1, 1]


def test_a_mask_is_resized_like_a_picture() -> None:
    hard = box(0, 0, 16, 24)

    assert masks.resize_mask(hard, to=Scale(factor=2)).pixels.shape == (1, 1, 48, 64)
    assert torch.equal(
        masks.resize_mask(hard, to=Fill(width=24, height=24)).pixels, hard.pixels[..., 4:28]
    )
    nearest = masks.resize_mask(hard, interpolation="nearest").pixels
    assert set(nearest.flatten().tolist()) == {0, 1}


@pytest.mark.parametrize(
    ("operation", "expected"),
    [("union", [0.2, 1, 0.9]), ("intersect", [0, 0.5, 0.3]), ("subtract", [0.2, 0, 0.1])],
)
def test_masks_are_combined(operation: masks.Combination, expected: list[float]) -> None:
    def row(values: list[float]) -> Tensor:
        return torch.tensor(values).view(1, 1, 1, 3)

    combined = masks.combine_masks(
        Mask(row([0.2, 0.5, 0.3])), Mask(row([0, 1, 0.9])), operation=operation
    )

    torch.testing.assert_close(combined.pixels, row(expected))


def test_masks_of_different_sizes_are_not_combined() -> None:
    with pytest.raises(InputError, match=r"first is 32 x 24, the second 2 x 2: .*ResizeMask"):
        masks.combine_masks(box(0, 0, 2, 2), Mask(torch.ones(1, 1, 2, 2)))


def test_one_mask_goes_with_a_batch() -> None:
    batch = masks.image_to_mask(Image(torch.zeros(3, 3, 24, 32)))

    assert masks.combine_masks(batch, box(0, 0, 4, 4)).pixels.sum() == 3 * 16


def test_a_mask_fades_towards_the_sides() -> None:
    faded = masks.fade_mask(Mask(torch.ones(1, 1, 3, 4)), left=2, bottom=4).pixels[0, 0]
    across = torch.tensor([0.5, 1, 1, 1])
    down = torch.tensor([1.0, 2 / 3, 1 / 3])
    assert torch.allclose(faded, down[:, None] * across)
    assert torch.equal(masks.fade_mask(Mask(faded[None, None])).pixels[0, 0], faded)
