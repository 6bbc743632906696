import math

import numpy as np
import PIL.Image
import pytest
import torch
from torch import Tensor

from engine.errors import InputError
from nodes.diffusion import pixels
from nodes.widgets import Interpolation

SMOOTH = ("bilinear", "bicubic", "lanczos")
ALL = ("nearest", "area", *SMOOTH)


def noise(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator("cpu").manual_seed(0))


@pytest.mark.parametrize("interpolation", ALL)
@pytest.mark.parametrize("extents", [(1, 1), (7, 5), (64, 96), (13, 200)])
def test_a_constant_stays_constant(interpolation: Interpolation, extents: tuple[int, int]) -> None:
    resized = pixels.resize(torch.full((2, 3, 33, 17), 0.25), *extents, interpolation)

    assert resized.shape == (2, 3, extents[1], extents[0])
    torch.testing.assert_close(resized, torch.full_like(resized, 0.25))


@pytest.mark.parametrize("interpolation", ALL)
def test_a_single_pixel_fills_what_it_is_resized_to(interpolation: Interpolation) -> None:
    resized = pixels.resize(torch.full((1, 3, 1, 1), 0.7), 9, 4, interpolation)

    torch.testing.assert_close(resized, torch.full((1, 3, 4, 9), 0.7))


def test_area_keeps_the_mean() -> None:
    source = noise(1, 3, 48, 64)

    resized = pixels.resize(source, 16, 12, "area")

    torch.testing.assert_close(resized.mean(dim=(2, 3)), source.mean(dim=(2, 3)))
    torch.testing.assert_close(resized[0, 0, 0, 0], source[0, 0, :4, :4].mean())


@pytest.mark.parametrize("interpolation", SMOOTH)
@pytest.mark.parametrize("extents", [(31, 20), (100, 75), (1, 90)])
def test_smooth_resizing_agrees_with_pillow(
    interpolation: Interpolation, extents: tuple[int, int]
) -> None:
    levels = (90 + noise(41, 53, 3) * 75).to(torch.uint8)  # Pillow cuts overshoot off halfway
    method = PIL.Image.Resampling[interpolation.upper()]
    expected = np.asarray(PIL.Image.fromarray(levels.numpy()).resize(extents, method))

    resized = pixels.resize(levels.permute(2, 0, 1)[None] / 255, *extents, interpolation)

    difference = resized[0].permute(1, 2, 0) * 255 - torch.from_numpy(expected.copy())
    assert difference.abs().max() < 1.5  # Pillow rounds to whole levels, twice


def test_nearest_takes_the_pixel_under_the_centre() -> None:
    source = torch.arange(9.0).view(1, 1, 1, 9).div(9)

    assert torch.equal(pixels.resize(source, 3, 1, "nearest"), source[..., 1::3])


def test_overshoot_is_cut_off() -> None:
    step = torch.zeros(1, 3, 8, 8)
    step[..., 4:] = 1

    resized = pixels.resize(step, 32, 32, "lanczos")

    assert resized.min() == 0
    assert resized.max() == 1


def test_a_size_that_cannot_be_meant_is_refused() -> None:
    with pytest.raises(InputError, match="16384 x 16384, 268 megapixels") as caught:
        pixels.resize(torch.zeros(1, 3, 8, 8), 16384, 16384, "area")
    assert caught.value.code == "too_large"


def test_a_part_must_lie_inside() -> None:
    source = noise(1, 3, 10, 20)

    assert torch.equal(pixels.crop(source, 5, 2, 15, 8), source[..., 2:, 5:])
    with pytest.raises(
        InputError, match=r"16 x 8 at \(5, 2\) reaches out of the picture of 20 x 10"
    ):
        pixels.crop(source, 5, 2, 16, 8)


def test_new_proportions_are_cut_about_the_centre() -> None:
    source = noise(1, 3, 10, 30)

    assert torch.equal(pixels.crop_to_proportions(source, 512, 512), source[..., 10:20])
    assert torch.equal(pixels.crop_to_proportions(source, 60, 10), source[..., 2:7, :])


def test_composite_blends_by_the_mask_and_cuts_off_what_reaches_out() -> None:
    base, overlay = torch.zeros(1, 3, 4, 6), torch.ones(1, 3, 3, 3)
    mask = torch.tensor([[0.0, 0.5, 1.0]]).expand(1, 1, 3, 3)

    result = pixels.composite(base, overlay, mask, -1, 2)

    expected = torch.zeros(4, 6)
    expected[2:, 0], expected[2:, 1] = 0.5, 1.0
    torch.testing.assert_close(result, expected.expand(1, 3, 4, 6))
    assert base.sum() == 0


def test_composite_beside_the_base_leaves_it() -> None:
    base = noise(1, 3, 4, 4)

    assert torch.equal(pixels.composite(base, torch.ones(1, 3, 2, 2), None, 9, -7), base)


@pytest.mark.parametrize("counts", [(1, 3, 1), (3, 1, 1), (1, 1, 3), (3, 3, 3)])
def test_one_goes_with_each_of_a_batch(counts: tuple[int, int, int]) -> None:
    base, overlay, mask = (
        noise(count, channels, 4, 4) for count, channels in zip(counts, (3, 3, 1), strict=True)
    )

    result = pixels.composite(base, overlay, mask, 0, 0)

    torch.testing.assert_close(result, base * (1 - mask) + overlay * mask)


def test_batches_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(InputError, match="base is a batch of 2, the overlay of 3"):
        pixels.composite(torch.zeros(2, 3, 4, 4), torch.zeros(3, 3, 4, 4), None, 0, 0)


def test_a_mask_of_another_size_names_the_node_to_use() -> None:
    with pytest.raises(InputError, match=r"overlay is 6 x 4, the mask 4 x 6: .*ResizeMask"):
        pixels.composite(
            torch.zeros(1, 3, 9, 9), torch.zeros(1, 3, 4, 6), torch.zeros(1, 1, 6, 4), 0, 0
        )


def test_the_margin_fades_by_the_square_of_the_distance() -> None:
    mask = pixels.margin_mask(6, 5, (2, 0, 0, 1), feather=4)[0, 0]

    assert mask.shape == (6, 8)
    for y in range(5):
        for x in range(6):
            distance = min(x, 5 - y)
            assert mask[y, x + 2] == pytest.approx(max(0, 1 - distance / 4) ** 2)
    assert mask[:, :2].min() == 1
    assert mask[5].min() == 1


def test_without_feather_the_picture_is_kept_whole() -> None:
    mask = pixels.margin_mask(6, 5, (3, 3, 3, 3), feather=0)[0, 0]

    assert mask.sum() == 12 * 11 - 30
    assert mask[3:8, 3:9].sum() == 0


def in_reach(shape: pixels.Shape, dx: int, dy: int, radius: int) -> bool:
    distance = {
        "circle": math.hypot(dx, dy),
        "square": max(abs(dx), abs(dy)),
        "diamond": abs(dx) + abs(dy),
    }
    return distance[shape] <= radius


def spread(mask: Tensor, radius: int, shape: pixels.Shape) -> Tensor:
    height, width = mask.shape[-2:]
    places = [(x, y) for y in range(height) for x in range(width)]
    near = torch.tensor(
        [[in_reach(shape, u - x, v - y, radius) for u, v in places] for x, y in places]
    )
    values = mask.flatten(2).unsqueeze(2).expand(-1, -1, len(places), -1)
    return values.masked_fill(~near, -1).amax(dim=-1).view_as(mask)


@pytest.mark.parametrize("shape", ["circle", "square", "diamond"])
@pytest.mark.parametrize("radius", [0, 1, 3, 20])
def test_growing_takes_the_maximum_within_the_distance(shape: pixels.Shape, radius: int) -> None:
    mask = noise(2, 1, 9, 7)

    assert torch.equal(pixels.grow(mask, radius, shape), spread(mask, radius, shape))


@pytest.mark.parametrize("shape", ["circle", "square", "diamond"])
def test_shrinking_a_mask_is_growing_what_is_left_out(shape: pixels.Shape) -> None:
    mask = (noise(1, 1, 12, 15) > 0.3).float()

    assert torch.equal(pixels.grow(mask, -2, shape), 1 - pixels.grow(1 - mask, 2, shape))


def test_the_border_of_the_canvas_does_not_eat_a_mask() -> None:
    assert pixels.grow(torch.ones(1, 1, 5, 5), -4, "circle").min() == 1


def test_growing_leaves_its_input_alone() -> None:
    mask = noise(1, 1, 6, 6)
    before = mask.clone()

    pixels.grow(mask, 2, "square")

    assert torch.equal(mask, before)


def test_a_blurred_step_is_the_integral_of_the_gaussian() -> None:
    step = torch.zeros(1, 1, 3, 81)
    step[..., 41:] = 1

    blurred = pixels.blur(step, 6.0)

    across = torch.arange(81.0)
    expected = 0.5 * (1 + torch.erf((across - 40.5) / (6.0 * math.sqrt(2))))
    assert (blurred[0, 0, 1] - expected).abs().max() < 2e-3
    assert torch.equal(blurred[0, 0, 0], blurred[0, 0, 2])


def test_a_blur_keeps_a_full_mask_full() -> None:
    blurred = pixels.blur(torch.ones(1, 1, 3, 4), 20.0)

    torch.testing.assert_close(blurred, torch.ones(1, 1, 3, 4))


def test_luminance_of_grey_is_its_value() -> None:
    torch.testing.assert_close(
        pixels.luminance(torch.full((1, 3, 2, 2), 0.4)), torch.full((1, 1, 2, 2), 0.4)
    )
