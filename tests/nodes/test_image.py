from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from pydantic import ValidationError

from engine.errors import InputError
from engine.node import node_type
from nodes import image as images
from nodes.folders import Folders
from nodes.image import Exact, Fill, Fit, Megapixels, Resizing, Scale
from nodes.values import Image, Mask


@pytest.fixture
def inputs(tmp_path: Path) -> Folders:
    return Folders(models=(), images=(tmp_path,))


def picture(width: int, height: int, batch: int = 1) -> Image:
    generator = torch.Generator("cpu").manual_seed(0)
    return Image(torch.rand(batch, 3, height, width, generator=generator))


def test_a_file_without_transparency_has_an_empty_mask(inputs: Folders, tmp_path: Path) -> None:
    PIL.Image.new("RGB", (6, 4), (255, 0, 51)).save(tmp_path / "red.png")

    loaded = images.load_image(image="red.png", folders=inputs)

    torch.testing.assert_close(loaded.image.pixels[0, :, 0, 0], torch.tensor([1, 0, 0.2]))
    assert torch.equal(loaded.mask.pixels, torch.zeros(1, 1, 4, 6))


def test_the_mask_is_one_where_the_picture_is_transparent(inputs: Folders, tmp_path: Path) -> None:
    PIL.Image.fromarray(np.array([[[9, 9, 9, 0], [9, 9, 9, 255]]], dtype=np.uint8)).save(
        tmp_path / "hole.png"
    )

    loaded = images.load_image(image="hole.png", folders=inputs)

    assert loaded.mask.pixels.flatten().tolist() == [1, 0]


def test_only_files_in_the_folders_are_read(inputs: Folders) -> None:
    with pytest.raises(InputError) as caught:
        images.load_image(image="../secret.png", folders=inputs)
    assert caught.value.code == "outside_roots"


def test_the_fingerprint_follows_the_bytes(inputs: Folders, tmp_path: Path) -> None:
    fingerprint = node_type(images.load_image).fingerprint
    assert fingerprint is not None
    (tmp_path / "a.png").write_bytes(b"one")
    before = fingerprint(image="a.png", folders=inputs)
    (tmp_path / "a.png").write_bytes(b"two")

    assert fingerprint(image="a.png", folders=inputs) != before


@pytest.mark.parametrize(
    ("to", "multiple_of", "expected"),
    [
        (Exact(width=100, height=50), 1, (100, 50)),
        (Exact(width=100, height=50), 8, (96, 48)),
        (Fill(width=100, height=100), 1, (100, 100)),
        (Fit(width=100, height=100), 1, (100, 75)),
        (Fit(width=100, height=100), 8, (96, 72)),
        (Fit(width=2000, height=150), 1, (200, 150)),
        (Scale(factor=0.5), 1, (20, 15)),
        (Scale(factor=0.001), 1, (1, 1)),
        (Scale(factor=0.001), 64, (64, 64)),
        (Megapixels(megapixels=0.12), 1, (400, 300)),
    ],
)
def test_a_picture_of_40_x_30_is_resized(
    to: Resizing, multiple_of: int, expected: tuple[int, int]
) -> None:
    resized = images.resize_image(picture(40, 30), to=to, multiple_of=multiple_of)

    assert images.image_size(resized) == expected


@pytest.mark.parametrize("size", [(1, 1), (7, 1), (33, 17)])
def test_odd_sizes_are_resized(size: tuple[int, int]) -> None:
    assert images.image_size(images.resize_image(picture(*size), to=Scale(factor=3))) == (
        3 * size[0],
        3 * size[1],
    )


def test_filling_keeps_the_proportions_and_cuts_the_sides() -> None:
    source = picture(40, 20)

    filled = images.resize_image(source, to=Fill(width=20, height=20))

    assert torch.equal(filled.pixels, source.pixels[..., 10:30])


def test_resizing_beyond_reason_is_refused() -> None:
    with pytest.raises(InputError, match="megapixels"):
        images.resize_image(picture(500, 500), to=Scale(factor=64))


def test_options_are_checked() -> None:
    to = node_type(images.resize_image).inputs["to"].adapter

    assert to.validate_python({"kind": "scale", "factor": 2}) == Scale(factor=2)
    for wrong in ({"kind": "scale", "factor": 0}, {"kind": "fit", "factor": 2}, {"kind": "other"}):
        with pytest.raises(ValidationError):
            to.validate_python(wrong)


def test_a_part_is_cut_out() -> None:
    source = picture(9, 8)

    cut = images.crop_image(source, x=1, y=2, width=3, height=4)

    assert torch.equal(cut.pixels, source.pixels[..., 2:6, 1:4])


def test_a_margin_is_grey_and_repainted() -> None:
    source = picture(8, 8, batch=2)

    padded = images.pad_image(source, left=16, bottom=8, feather=0)

    assert images.image_size(padded.image) == (24, 16)
    assert torch.equal(padded.image.pixels[..., :8, 16:], source.pixels)
    assert torch.equal(padded.image.pixels[..., :16], torch.full((2, 3, 16, 16), 0.5))
    assert padded.mask.pixels.shape == (1, 1, 16, 24)
    assert padded.mask.pixels.sum() == 24 * 16 - 64


def test_a_picture_is_laid_over_another() -> None:
    base, overlay = picture(6, 6), Image(torch.ones(1, 3, 2, 2))

    whole = images.composite_image(base, overlay, x=1, y=3)
    masked = images.composite_image(base, overlay, Mask(torch.zeros(1, 1, 2, 2)), x=1, y=3)

    assert whole.pixels[..., 3:5, 1:3].min() == 1
    assert torch.equal(masked.pixels, base.pixels)


def test_pictures_are_joined_in_order() -> None:
    one, two = picture(4, 4), Image(torch.ones(2, 3, 4, 4))

    assert torch.equal(
        images.concatenate_images([one, two]).pixels, torch.cat([one.pixels, two.pixels])
    )


def test_pictures_of_different_sizes_are_not_joined() -> None:
    with pytest.raises(InputError, match=r"measure 4 x 4, 5 x 4: .*ResizeImage"):
        images.concatenate_images([picture(4, 4), picture(5, 4)])


def test_the_negative_of_the_negative_is_the_picture() -> None:
    source = picture(4, 4)

    assert torch.equal(images.invert_image(source).pixels, 1 - source.pixels)


def test_pictures_are_mixed() -> None:
    one, two = picture(4, 4), Image(torch.ones(3, 3, 4, 4))

    mixed = images.blend_images(one, two, amount=0.25)

    torch.testing.assert_close(mixed.pixels, 0.75 * one.pixels + 0.25 * two.pixels)
    with pytest.raises(InputError, match="first is 4 x 4, the second 5 x 4"):
        images.blend_images(one, picture(5, 4))


def test_edges_are_white_lines() -> None:
    step = torch.zeros(2, 3, 16, 16)
    step[..., 8:] = 1

    lines = images.canny_edges(Image(step)).pixels

    assert lines.shape == step.shape
    assert set(lines.flatten().tolist()) == {0, 1}
    assert torch.equal(lines[:, 0], lines[:, 2])


def test_thresholds_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(InputError, match=r"low is 0.9, high 0.8"):
        images.canny_edges(picture(8, 8), low=0.9)
